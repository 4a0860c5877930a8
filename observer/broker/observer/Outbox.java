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

  /** Of each kind: a Broker that comes and goes would fill a log. */
  private static final int LINES_A_MINUTE = 2;

  private final Turns turns;
  private final Logger log;
  private final Delivery delivery;
  private final Dropped dropped;
  private final Thread thread;
  private final String late;
  private final LinesAMinute outages = new LinesAMinute(LINES_A_MINUTE);
  private final LinesAMinute failures = new LinesAMinute(LINES_A_MINUTE);
  private boolean accepted; // any, since this was opened
  private boolean isOutageSaid;
  private boolean isSilenceSaid;
  private boolean closed;

  Outbox(EventSettings settings, int partition, Dropped dropped, Logger log) {
    this.log = log;
    this.dropped = dropped;
    turns = new Turns(settings.patience().toNanos(), System.nanoTime());
    late = "not accepted for " + settings.patience().toSeconds() + " s; last: ";
    delivery = new Delivery(settings);
    thread = new Thread(this::run, "events-of-partition-" + partition);
    thread.setDaemon(true);
    thread.start();
  }

  /** Never waits. {@code timestamp} is the record's, in milliseconds since 1970. */
  synchronized void add(CloudEvent event, long timestamp) {
    if (turns.size() == MAX_EVENTS) {
      Entry oldest = turns.removeOldest();
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
      Entry entry = next();
      delivery.deliver(entry.event()).thenAccept(attempt -> went(entry, attempt));
    } catch (RuntimeException | Error cause) {
      // This thread is the only one: without it nothing is ever settled, and the engine keeps its log.
      log.error("the next event could not be begun, which is tried again in a second", cause);
      TimeUnit.SECONDS.sleep(1);
    }
  }

  private synchronized Entry next() throws InterruptedException {
    while (!closed) {
      long now = System.nanoTime();
      Entry next = turns.begin(now);
      if (next != null) {
        return next;
      }
      if (!isSilenceSaid && turns.isSilent(now)) {
        isSilenceSaid = true;
        log.warn("events wait, {} by now: what was sent has no answer for a minute", turns.size());
      }
      for (Entry old : turns.removeOld(now)) {
        dropped.add(old.event(), Dropped.Reason.PATIENCE, late + old.said());
      }
      // 0 is until there is one.
      wait(turns.size() == 0 ? 0 : LOOK_MILLIS);
    }
    throw new InterruptedException();
  }

  private synchronized void went(Entry entry, Attempt attempt) {
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

  private void refused(Entry entry, Attempt attempt, long now) {
    if (!accepted) {
      // A Broker answers so to a path that is none of its own, and a port of TLS to plain HTTP.
      String doubt = attempt.said() + ", and has accepted none so far: is `url` right?";
      failed(entry, new Attempt(Answer.AGAIN, doubt), now);
    } else if (answered(entry, now)) {
      dropped.add(entry.event(), Dropped.Reason.REFUSED, attempt.said());
    }
  }

  /** Whether the event waited still. */
  private boolean answered(Entry entry, long now) {
    boolean waited = turns.answered(entry, now);
    isSilenceSaid = false;
    if (isOutageSaid) {
      isOutageSaid = false;
      log.info("events are answered again, of which {} wait", turns.size());
    }
    return waited;
  }

  private void failed(Entry entry, Attempt attempt, long now) {
    boolean isWorse = turns.failed(entry, attempt, now);
    if (isWorse && turns.outage() == LASTING_OUTAGE && outages.next() >= 0) {
      isOutageSaid = true;
      log.warn("events wait, {} by now, and are tried again: {}", turns.size(), attempt.said());
    } else if (turns.outage() == 0 && entry.failures() > 1 && entry.name() && failures.next() >= 0) {
      log.warn("event {} steps aside and is tried again: {}", entry.event().id(), attempt.said());
    }
  }
}
