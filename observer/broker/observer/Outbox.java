package observer;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/**
 * Events of one partition on their way to the Broker, begun by a thread of its own, each when it is its
 * {@linkplain Turns turn}.
 *
 * <p>At least once: what is here is not settled, and the engine tells of it again after a crash. But
 * the engine keeps its log for it, and a log that only grows ends the engine. So an event waits no
 * longer than the settings say, and there are never more than 1,000: then the oldest is dropped, and
 * counted; but none that is being sent, as it may be accepted after all.
 */
final class Outbox {
  private static final int MAX_EVENTS = 1_000;

  /** Between looks at whose pause or patience is over, while events wait. */
  private static final long LOOK_MILLIS = 200;

  /** After so many failures in a row an outage is worth a line: an idle connection, or two events, it is not. */
  private static final int LASTING_OUTAGE = 4;

  private final Turns turns;
  private final Logger log;
  private final Delivery delivery;
  private final Dropped dropped;
  private final Thread thread;
  private final String late;
  private boolean accepted; // any, since this was opened
  private boolean closed;

  Outbox(EventSettings settings, int partition, Logger log) {
    this.log = log;
    turns = new Turns(settings.patience().toNanos(), System.nanoTime());
    late = "not accepted for " + settings.patience().toSeconds() + " s; last: ";
    delivery = new Delivery(settings);
    dropped = new Dropped(partition, log);
    thread = new Thread(this::run, "events-of-partition-" + partition);
    thread.setDaemon(true);
    thread.start();
  }

  /** Never waits. {@code timestamp} is the record's, in milliseconds since 1970. */
  synchronized void add(CloudEvent event, long timestamp) {
    if (turns.size() == MAX_EVENTS) {
      Turns.Entry oldest = turns.removeOldest();
      String why = "more than " + MAX_EVENTS + " wait; last: " + oldest.said();
      dropped.add(oldest.event(), Dropped.Reason.CROWDED, why);
    }
    long age = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis() - timestamp);
    turns.add(event, age, System.nanoTime());
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
        beginNext();
      }
    } catch (InterruptedException cause) {
      // It was closed; whoever opens it next is told of what was left.
      delivery.cancel();
    }
  }

  private void beginNext() throws InterruptedException {
    try {
      Turns.Entry entry = next();
      delivery.deliver(entry.event()).thenAccept(attempt -> went(entry, attempt));
    } catch (RuntimeException | Error cause) {
      // This thread is the only one: without it nothing is ever settled, and the engine keeps its log.
      log.error("the next event could not be begun, which is tried again in a second", cause);
      TimeUnit.SECONDS.sleep(1);
    }
  }

  private synchronized Turns.Entry next() throws InterruptedException {
    while (!closed) {
      long now = System.nanoTime();
      Turns.Entry next = turns.begin(now);
      if (next != null) {
        return next;
      }
      for (Turns.Entry old : turns.removeOld(now)) {
        dropped.add(old.event(), Dropped.Reason.PATIENCE, late + old.said());
      }
      // 0 is until there is one.
      wait(turns.size() == 0 ? 0 : LOOK_MILLIS);
    }
    throw new InterruptedException();
  }

  private synchronized void went(Turns.Entry entry, Attempt attempt) {
    if (closed) {
      return;
    }
    long now = System.nanoTime();
    switch (attempt.answer()) {
      case ACCEPTED -> {
        accepted = true;
        answered(entry, now);
      }
      case REFUSED -> refused(entry, attempt, now);
      case AGAIN, NONE -> failed(entry, attempt, now);
    }
    notifyAll();
  }

  private void refused(Turns.Entry entry, Attempt attempt, long now) {
    if (accepted) {
      answered(entry, now);
      dropped.add(entry.event(), Dropped.Reason.REFUSED, attempt.said());
    } else {
      // A Broker answers so to a path that is none of its own, and a port of TLS to plain HTTP.
      String doubt = attempt.said() + ", and has accepted none so far: is `url` right?";
      failed(entry, new Attempt(Answer.AGAIN, doubt), now);
    }
  }

  private void answered(Turns.Entry entry, long now) {
    int outage = turns.outage();
    turns.answered(entry, now);
    if (outage >= LASTING_OUTAGE) {
      log.info("events are answered again, of which {} wait", turns.size());
    }
  }

  private void failed(Turns.Entry entry, Attempt attempt, long now) {
    boolean isWorse = turns.failed(entry, attempt, now);
    if (isWorse && turns.outage() == LASTING_OUTAGE) {
      log.warn("events wait, {} by now, and are tried again: {}", turns.size(), attempt.said());
    } else if (turns.outage() == 0 && entry.failures() == 2) {
      log.warn("event {} steps aside and is tried again: {}", entry.event().id(), attempt.said());
    }
  }
}
