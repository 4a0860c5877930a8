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
 * <p>There are two lanes, of the events that never failed and of the others. In each some attempts go on
 * beside each other while the Broker answers, and one at a time while it does not; but one that has no
 * answer for two seconds steps aside, and goes on beside its lane. So neither those that always fail nor
 * those that are never answered hold up the others, up to the bounds below.
 *
 * <p>When a second event fails and none had a definite answer in between, the trouble is likely the
 * Broker's: then there is a pause between any two attempts, and the lanes take turns. Events about one
 * incident keep their order.
 */
final class Turns {
  private static final long FIRST_PAUSE_NANOS = 500_000_000L;

  /** Of an event's own pause: up to 32 s. */
  private static final int MAX_DOUBLINGS = 6;

  /**
   * Of an event that had no answer in time. It may have been taken, and each attempt may be a copy for
   * those who have it already.
   */
  private static final long PAUSE_AFTER_NONE_NANOS = 300_000_000_000L;

  /**
   * Of the pause of all, in an outage: up to 2 s. It bounds what a Broker that takes one in ten is
   * given, and how long one that never fails waits for those that always do.
   */
  private static final int MAX_DOUBLINGS_OF_ALL = 2;

  private static final long ASIDE_AFTER_NANOS = 2_000_000_000L;

  /**
   * Of a lane, until so many were begun of which none was answered. So one that is slow to answer is
   * given more than one at a time, and one that is silent is not given all that may be in flight.
   */
  private static final int AT_ONCE = 8;

  private static final int MAX_IN_FLIGHT = 32;

  /** Of them; so that those that are never answered leave room for those that never failed. */
  private static final int MAX_AGAIN_IN_FLIGHT = 16;

  /**
   * How long an event is tried here at the least, however old its record is: a broker that was down for
   * longer than the patience may be up before the Broker is.
   */
  private static final long MIN_PATIENCE_NANOS = 600_000_000_000L;

  /** An event that waits. */
  static final class Entry {
    private final CloudEvent event;
    private final long deadline;
    private long due;
    private long began;
    private boolean inFlight;
    private int failures;
    private long failedAfter = -1; // so many that had a definite answer
    private String said = "its turn did not come";

    private Entry(CloudEvent event, long deadline) {
      this.event = event;
      this.deadline = deadline;
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

    private boolean isFirst() {
      return failures == 0;
    }
  }

  private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // by their positions
  private final long patience;
  private long answered; // definitely
  private long answeredAt;
  private int begun; // since one was answered
  private int failed; // different ones since one was answered
  private int outage; // failures in a row, from the second event on
  private long heardAt; // an attempt that was begun before tells nothing new of the Broker when it fails
  private long nobodyBefore;
  private boolean firstWent; // the last turn was of one that had not failed

  Turns(long patience, long now) {
    this.patience = patience;
    answeredAt = heardAt = now;
  }

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

  /** {@code age} is how long ago the record was written, by whichever clocks: below 0 counts as 0. */
  void add(CloudEvent event, long age, long now) {
    long left = patience - Math.min(Math.max(age, 0), patience);
    entries.addLast(new Entry(event, now + Math.max(left, Math.min(patience, MIN_PATIENCE_NANOS))));
  }

  /** Gives up the one that waits for longest, of those that are not in flight; null where all are. */
  Entry removeOldest() {
    Iterator<Entry> oldestFirst = entries.iterator();
    while (oldestFirst.hasNext()) {
      Entry oldest = oldestFirst.next();
      if (!oldest.inFlight) {
        oldestFirst.remove();
        return oldest;
      }
    }
    return null;
  }

  /** Gives up all that wait for too long, of those that are not in flight. */
  List<Entry> removeOld(long now) {
    List<Entry> old = new ArrayList<>();
    for (Entry entry : entries) {
      // One that never had its turn waits as long again while the Broker answers others.
      boolean mayHaveItsTurn =
          entry.isFirst() && now - answeredAt <= patience && now - entry.deadline <= patience;
      if (!entry.inFlight && isOld(entry, now) && !mayHaveItsTurn) {
        old.add(entry);
      }
    }
    entries.removeAll(new HashSet<>(old));
    return old;
  }

  private static boolean isOld(Entry entry, long now) {
    return now - entry.deadline > 0;
  }

  /** Begins the attempt whose turn is now; null where there is none. */
  Entry begin(long now) {
    if (outage > 0 && nobodyBefore - now > 0) {
      return null;
    }
    Entry next = next(now);
    if (next != null) {
      next.inFlight = true;
      next.began = now;
      begun++;
      firstWent = next.isFirst();
      nobodyBefore = now + pauseOfAll();
    }
    return next;
  }

  private Entry next(long now) {
    Entry first = null; // the oldest that never failed
    Entry again = null; // of the others the one that is due for longest
    int inFlight = 0;
    int againInFlight = 0;
    int firstBusy = 0; // in its lane
    int againBusy = 0;
    Set<Long> about = new HashSet<>();
    for (Entry entry : entries) {
      boolean isBehind = !about.add(entry.event.key());
      boolean isFirst = entry.isFirst();
      if (entry.inFlight) {
        boolean isInItsLane = now - entry.began < ASIDE_AFTER_NANOS;
        inFlight++;
        againInFlight += isFirst ? 0 : 1;
        firstBusy += isInItsLane && isFirst ? 1 : 0;
        againBusy += isInItsLane && !isFirst ? 1 : 0;
      } else if (isBehind) {
        continue;
      } else if (isFirst) {
        first = first == null ? entry : first;
      } else if (entry.due - now <= 0 && !isOld(entry, now)) {
        again = again == null || entry.due - again.due < 0 ? entry : again;
      }
    }
    if (inFlight >= MAX_IN_FLIGHT) {
      return null;
    }
    int atOnce = begun < AT_ONCE ? AT_ONCE : 1;
    first = firstBusy >= atOnce ? null : first;
    again = againBusy >= atOnce || againInFlight >= MAX_AGAIN_IN_FLIGHT ? null : again;
    return first != null && (again == null || !firstWent) ? first : again;
  }

  /** It had a definite answer, good or bad: the Broker is there. */
  void answered(Entry entry, long now) {
    entries.remove(entry);
    answered++;
    answeredAt = heardAt = now;
    begun = 0;
    failed = 0;
    outage = 0;
  }

  /** It is to be tried again. Whether an outage has grown by it. */
  boolean failed(Entry entry, Attempt attempt, long now) {
    entry.inFlight = false;
    entry.said = attempt.said();
    long pause = pauseAfter(++entry.failures, MAX_DOUBLINGS);
    entry.due = now + (attempt.answer() == Answer.NONE ? PAUSE_AFTER_NONE_NANOS : pause);
    if (entry.began - heardAt < 0) {
      return false;
    }
    if (entry.failedAfter != answered) {
      entry.failedAfter = answered;
      failed++;
    }
    if (failed < 2) {
      return false;
    }
    outage++;
    heardAt = now;
    nobodyBefore = now + pauseOfAll();
    return true;
  }

  private long pauseOfAll() {
    return outage == 0 ? 0 : pauseAfter(outage, MAX_DOUBLINGS_OF_ALL);
  }

  private static long pauseAfter(int failures, int maxDoublings) {
    return FIRST_PAUSE_NANOS << Math.min(failures - 1, maxDoublings);
  }
}
