package observer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The events of one partition that wait, and whose turn it is. Times are of {@link System#nanoTime}.
 * Not thread-safe.
 *
 * <p>An event that fails alone steps aside for a pause of its own, and the others go on. When a second
 * one fails and none was accepted in between, or the Broker cannot be reached, the trouble is not an
 * event's: all wait, and one at a time asks whether it is over. An event's failures count against it
 * only if others were accepted since the one before. Events about one incident keep their order.
 */
final class Turns {
  private static final long FIRST_PAUSE_NANOS = 500_000_000L;
  private static final int MAX_DOUBLINGS = 6; // 32 s

  /** An event that waits. */
  static final class Entry {
    private final CloudEvent event;
    private final long since;
    private long due;
    private int failures;
    private int own; // failures, with others accepted since the one before
    private long failedAfter = -1; // so many that were accepted

    private Entry(CloudEvent event, long now) {
      this.event = event;
      since = due = now;
    }

    CloudEvent event() {
      return event;
    }

    /** How often it failed, for whatever reason. */
    int failures() {
      return failures;
    }

    /** How often it failed while others did not. */
    int own() {
      return own;
    }
  }

  private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // by their positions
  private long accepted;
  private int failed; // different ones since one was accepted
  private int outage; // failures in a row that are not an event's own
  private long nobodyBefore;

  int size() {
    return entries.size();
  }

  /** Failures in a row that are nobody's own; 0 where all is well. */
  int outage() {
    return outage;
  }

  /** Whether no event of a record up to there waits. */
  boolean isDoneUpTo(long position) {
    return entries.isEmpty() || entries.peekFirst().event.position() > position;
  }

  void add(CloudEvent event, long now) {
    entries.addLast(new Entry(event, now));
  }

  /** The one that waits for longest is given up. */
  Entry removeOldest() {
    return entries.removeFirst();
  }

  /** False where it was given up meanwhile. */
  boolean remove(Entry entry) {
    return entries.remove(entry);
  }

  /** All that wait for longer than that are given up. */
  List<Entry> removeOlderThan(long nanos, long now) {
    List<Entry> old = new ArrayList<>();
    while (!entries.isEmpty() && now - entries.peekFirst().since > nanos) {
      old.add(entries.removeFirst());
    }
    return old;
  }

  /** Whose turn is next, {@link #pause} from now; null where none waits. */
  Entry next() {
    Entry next = null;
    Set<Long> about = new HashSet<>();
    for (Entry entry : entries) {
      if (about.add(entry.event.key()) && (next == null || isBefore(entry, next))) {
        next = entry;
      }
    }
    return next;
  }

  private boolean isBefore(Entry one, Entry other) {
    // One that has not failed in this outage says most of whether it is over.
    if (outage > 0 && hasFailed(one) != hasFailed(other)) {
      return hasFailed(other);
    }
    return one.due - other.due < 0;
  }

  /** Since the last that was accepted. */
  private boolean hasFailed(Entry entry) {
    return entry.failedAfter == accepted;
  }

  /** How long it is until the turn of the next; 0 or less where it is now. */
  long pause(Entry next, long now) {
    return (outage == 0 ? next.due : nobodyBefore) - now;
  }

  void accepted(Entry entry, long now) {
    entries.remove(entry);
    accepted++;
    failed = 0;
    if (outage > 0) {
      outage = 0;
      // Their pauses were not for their own sake.
      entries.forEach(one -> one.due = now);
    }
  }

  void failed(Entry entry, Answer answer, long now) {
    entry.due = now + pauseAfter(++entry.failures);
    if (answer == Answer.AWAY) {
      outage++;
    } else {
      boolean first = entry.failedAfter < 0;
      if (!hasFailed(entry)) {
        failed++;
        if (!first && answer == Answer.FAILING) {
          entry.own++;
        }
        entry.failedAfter = accepted;
      }
      if (failed > 1) {
        outage++;
      }
    }
    if (outage > 0) {
      nobodyBefore = now + pauseAfter(outage);
    }
  }

  private static long pauseAfter(int failures) {
    return FIRST_PAUSE_NANOS << Math.min(failures - 1, MAX_DOUBLINGS);
  }
}
