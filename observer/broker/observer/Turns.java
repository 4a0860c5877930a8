package observer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * The events of one partition that wait, and whose turn it is. Times are of {@link System#nanoTime}.
 * Not thread-safe.
 *
 * <p>An event that fails steps aside for a pause of its own that grows, and every other turn is of one
 * that never failed: so those that always fail, however many they are, hold up no other. When a second
 * one fails and none was accepted in between, the trouble is likely the Broker's: then between any two
 * attempts there is a pause as well. Events about one incident keep their order.
 */
final class Turns {
  private static final long FIRST_PAUSE_NANOS = 500_000_000L;

  /** Of an event's own pause: up to 32 s. */
  private static final int MAX_DOUBLINGS = 6;

  /**
   * Of the pause of all, in an outage: up to 2 s. It bounds what a Broker that takes one in ten is
   * given, and how long one that never fails waits for those that always do.
   */
  private static final int MAX_DOUBLINGS_OF_ALL = 2;

  /** An event that waits. */
  static final class Entry {
    private final CloudEvent event;
    private final long since;
    private long due;
    private int failures;
    private long failedAfter = -1; // so many that were accepted
    private String said = "its turn did not come";

    private Entry(CloudEvent event, long now) {
      this.event = event;
      since = due = now;
    }

    CloudEvent event() {
      return event;
    }

    int failures() {
      return failures;
    }

    /** What came of it last, for people. */
    String said() {
      return said;
    }
  }

  private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // by their positions
  private long accepted;
  private int failed; // different ones since one was accepted
  private int outage; // failures in a row, from the second event on
  private long nobodyBefore;
  private boolean firstWent; // the last turn was of one that had not failed

  int size() {
    return entries.size();
  }

  /** Failures in a row, from the second event on; 0 where all is well. */
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

  void remove(Entry entry) {
    entries.remove(entry);
  }

  /** Gives up the one that waits for longest, of two or more, but not {@code kept}, which may be null. */
  Entry removeOldestBut(Entry kept) {
    Iterator<Entry> oldestFirst = entries.iterator();
    Entry oldest = oldestFirst.next();
    if (oldest == kept) {
      oldest = oldestFirst.next();
    }
    oldestFirst.remove();
    return oldest;
  }

  /** Gives up all that wait for longer than that. */
  List<Entry> removeOlderThan(long nanos, long now) {
    List<Entry> old = new ArrayList<>();
    while (!entries.isEmpty() && now - entries.peekFirst().since > nanos) {
      old.add(entries.removeFirst());
    }
    return old;
  }

  /** Whose turn is next, {@link #pause} from now; null where none waits. */
  Entry next(long now) {
    Entry first = null; // the oldest that never failed
    Entry again = null; // of the others the one that is due
    Set<Long> about = new HashSet<>();
    for (Entry entry : entries) {
      if (!about.add(entry.event.key())) {
        continue;
      }
      if (entry.failures == 0) {
        first = first == null ? entry : first;
      } else if (again == null || entry.due - again.due < 0) {
        again = entry;
      }
    }
    boolean isFirst = first != null && (again == null || again.due - now > 0 || !firstWent);
    return isFirst ? first : again;
  }

  /** How long it is until the turn of the next; 0 or less where it is now. */
  long pause(Entry next, long now) {
    long own = next.due - now;
    return outage == 0 ? own : Math.max(own, nobodyBefore - now);
  }

  void accepted(Entry entry) {
    firstWent = entry.failures == 0;
    entries.remove(entry);
    accepted++;
    failed = 0;
    outage = 0;
  }

  void failed(Entry entry, String said, long now) {
    firstWent = entry.failures == 0;
    entry.said = said;
    entry.due = now + pauseAfter(++entry.failures, MAX_DOUBLINGS);
    if (entry.failedAfter != accepted) {
      entry.failedAfter = accepted;
      failed++;
    }
    if (failed > 1) {
      nobodyBefore = now + pauseAfter(++outage, MAX_DOUBLINGS_OF_ALL);
    }
  }

  private static long pauseAfter(int failures, int maxDoublings) {
    return FIRST_PAUSE_NANOS << Math.min(failures - 1, maxDoublings);
  }
}
