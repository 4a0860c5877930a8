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
 * counted; but not the one that is being sent, which may be accepted after all.
 */
final class Outbox {
  private static final int MAX_EVENTS = 1_000;

  /** After so many failures in a row an outage is worth a line: an idle connection, or two events, it is not. */
  private static final int LASTING_OUTAGE = 4;

  private final Turns turns = new Turns();
  private final EventSettings settings;
  private final Logger log;
  private final Delivery delivery;
  private final Dropped dropped;
  private final Thread thread;
  private Turns.Entry sent; // being, just now
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
      Turns.Entry oldest = turns.removeOldestBut(sent);
      String why = "more than " + MAX_EVENTS + " wait; last: " + oldest.said();
      dropped.add(oldest.event(), Dropped.Reason.CROWDED, why);
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
      long now = System.nanoTime();
      Turns.Entry next = turns.next(now);
      if (next == null) {
        wait();
        continue;
      }
      long pause = turns.pause(next, now);
      if (pause <= 0) {
        sent = next;
        return next;
      }
      // At least 1: 0 would be for ever.
      wait(TimeUnit.NANOSECONDS.toMillis(pause) + 1);
    }
    throw new InterruptedException();
  }

  private synchronized void went(Turns.Entry entry, Attempt attempt, long now) {
    sent = null;
    switch (attempt.answer()) {
      case ACCEPTED -> {
        if (turns.outage() >= LASTING_OUTAGE) {
          log.info("events are accepted again, of which {} wait", turns.size());
        }
        turns.accepted(entry);
      }
      case REFUSED -> {
        turns.remove(entry);
        dropped.add(entry.event(), Dropped.Reason.REFUSED, attempt.said());
      }
      case AGAIN -> failed(entry, attempt.said(), now);
    }
  }

  private void failed(Turns.Entry entry, String said, long now) {
    turns.failed(entry, said, now);
    String late = "not accepted for " + settings.patience().toSeconds() + " s; last: ";
    turns
        .removeOlderThan(settings.patience().toNanos(), now)
        .forEach(old -> dropped.add(old.event(), Dropped.Reason.PATIENCE, late + old.said()));
    if (turns.outage() == LASTING_OUTAGE) {
      log.warn("events wait, {} by now, and are tried again: {}", turns.size(), said);
    } else if (turns.outage() == 0 && entry.failures() == 2) {
      log.warn("event {} steps aside and is tried again: {}", entry.event().id(), said);
    }
  }
}
