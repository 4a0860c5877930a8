package observer;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/**
 * Events of one partition on their way to the Broker, sent by a thread of its own, each when it is its
 * {@linkplain Turns turn}.
 *
 * <p>At least once: what is here is not settled, and the engine tells of it again after a crash. But
 * the engine keeps its log for it, and a log that only grows ends the engine. So an event waits no
 * longer than the settings say, and there are never more than 1,000: then the oldest is dropped, and
 * counted. So is one that fails again and again while others are accepted.
 */
final class Outbox {
  private static final int MAX_EVENTS = 1_000;

  private final Turns turns = new Turns();
  private final EventSettings settings;
  private final Logger log;
  private final Delivery delivery;
  private final Dropped dropped;
  private final Thread thread;
  private boolean closed;

  Outbox(EventSettings settings, int partition, Logger log) {
    this.settings = settings;
    this.log = log;
    delivery = new Delivery(settings);
    dropped = new Dropped(partition, log);
    thread = new Thread(this::run, "events-of-partition-" + partition);
    thread.setDaemon(true);
    thread.start();
  }

  /** Never waits. */
  synchronized void add(CloudEvent event) {
    if (turns.size() == MAX_EVENTS) {
      CloudEvent oldest = turns.removeOldest().event();
      dropped.add(oldest, Dropped.Reason.CROWDED, "more than " + MAX_EVENTS + " wait");
    }
    turns.add(event, System.nanoTime());
    notifyAll();
  }

  /** Whether nothing that a record up to there told of is on its way any more. */
  synchronized boolean isSettledUpTo(long position) {
    return turns.isDoneUpTo(position);
  }

  void close() {
    synchronized (this) {
      closed = true;
    }
    thread.interrupt();
  }

  private void run() {
    try {
      while (true) {
        Turns.Entry entry = next();
        Attempt attempt = delivery.deliver(entry.event());
        went(entry, attempt, System.nanoTime());
      }
    } catch (InterruptedException cause) {
      // It was closed; whoever opens it next is told of what was left.
    }
  }

  private synchronized Turns.Entry next() throws InterruptedException {
    while (!closed) {
      Turns.Entry next = turns.next();
      if (next == null) {
        wait();
        continue;
      }
      long pause = turns.pause(next, System.nanoTime());
      if (pause <= 0) {
        return next;
      }
      // At least 1: 0 would be for ever.
      wait(TimeUnit.NANOSECONDS.toMillis(pause) + 1);
    }
    throw new InterruptedException();
  }

  private synchronized void went(Turns.Entry entry, Attempt attempt, long now) {
    if (attempt.answer() == Answer.ACCEPTED) {
      if (turns.outage() > 1) {
        log.info("events are accepted again, of which {} wait", turns.size());
      }
      turns.accepted(entry, now);
      return;
    }
    if (attempt.answer() == Answer.REFUSED) {
      drop(entry, Dropped.Reason.REFUSED, attempt.said());
      return;
    }
    turns.failed(entry, attempt.answer(), now);
    if (entry.own() >= settings.maxFailures()) {
      String why = "failed " + (entry.own() + 1) + " times while others were accepted: ";
      drop(entry, Dropped.Reason.FAILING, why + attempt.said());
    }
    String late = "not accepted for " + settings.patience().toSeconds() + " s: " + attempt.said();
    turns
        .removeOlderThan(settings.patience().toNanos(), now)
        .forEach(old -> dropped.add(old.event(), Dropped.Reason.PATIENCE, late));
    // Once may be a connection that was idle for too long.
    if (turns.outage() == 2) {
      log.warn("events wait, {} by now, and are tried again: {}", turns.size(), attempt.said());
    } else if (turns.outage() == 0 && entry.failures() == 2) {
      log.warn("event {} steps aside and is tried again: {}", entry.event().id(), attempt.said());
    }
  }

  private void drop(Turns.Entry entry, Dropped.Reason reason, String why) {
    if (turns.remove(entry)) {
      dropped.add(entry.event(), reason, why);
    }
  }
}
