package observer;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;

/**
 * Events of one partition on their way to the Broker, in their order, sent by a thread of its own.
 *
 * <p>At least once: what is here is not settled, and the engine tells of it again after a crash. But
 * the engine keeps its log for it, and a log that only grows ends the engine. So an event waits no
 * longer than the settings say, and there are never more than 1,000: then the oldest is dropped, and
 * counted.
 */
final class Outbox {
  private static final int MAX_EVENTS = 1_000;
  private static final long FIRST_PAUSE_MILLIS = 500;
  private static final long LONGEST_PAUSE_MILLIS = 30_000;

  private record Entry(CloudEvent event, long since) {}

  private final ArrayDeque<Entry> entries = new ArrayDeque<>();
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
    if (entries.size() == MAX_EVENTS) {
      dropped.add(entries.removeFirst().event(), "more than " + MAX_EVENTS + " wait");
    }
    entries.addLast(new Entry(event, System.nanoTime()));
    notifyAll();
  }

  /** The position up to which nothing is on its way any more, where {@code seen} was the last. */
  synchronized long settledUpTo(long seen) {
    return entries.isEmpty() ? seen : entries.peekFirst().event().position() - 1;
  }

  /** The messages whose events are on their way, by their keys. */
  synchronized Map<Long, Published> messages() {
    Map<Long, Published> messages = new HashMap<>();
    for (Entry entry : entries) {
      if (entry.event().message() != null) {
        messages.put(entry.event().key(), entry.event().message());
      }
    }
    return messages;
  }

  void close() {
    synchronized (this) {
      closed = true;
    }
    thread.interrupt();
  }

  private void run() {
    long pause = FIRST_PAUSE_MILLIS;
    try {
      while (true) {
        Entry first = first();
        String trouble = delivery.deliver(first.event());
        if (trouble == null) {
          pause = FIRST_PAUSE_MILLIS;
          remove(first);
        } else if (delivery.isHopeless()) {
          drop(first, trouble);
        } else if (System.nanoTime() - first.since() > settings.patience().toNanos()) {
          drop(first, "not accepted for " + settings.patience().toSeconds() + " s: " + trouble);
        } else {
          // Once may be a connection that was idle for too long.
          if (pause == 2 * FIRST_PAUSE_MILLIS) {
            log.warn("event {} is tried again: {}", first.event().id(), trouble);
          }
          Thread.sleep(pause);
          pause = Math.min(pause * 2, LONGEST_PAUSE_MILLIS);
        }
      }
    } catch (InterruptedException cause) {
      // It was closed; whoever opens it next is told of what was left.
    }
  }

  private synchronized Entry first() throws InterruptedException {
    while (entries.isEmpty() && !closed) {
      wait();
    }
    if (closed) {
      throw new InterruptedException();
    }
    return entries.peekFirst();
  }

  /** Unless it was dropped meanwhile. */
  private synchronized boolean remove(Entry entry) {
    return entries.remove(entry);
  }

  private void drop(Entry entry, String why) {
    if (remove(entry)) {
      dropped.add(entry.event(), why);
    }
  }
}
