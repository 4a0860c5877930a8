package observer;

import java.time.Duration;
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
 * Broker's: then there is a pause after each few attempts, in which the lanes take turns. Events about
 * one incident keep their order.
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
   * Of the pause of all, in an outage: up to 2 s. With {@link #AT_ONCE} it bounds what a Broker that
   * takes none is asked, and how long one that it would take waits for those that it never does.
   */
  private static final int MAX_DOUBLINGS_OF_ALL = 2;

  private static final long ASIDE_AFTER_NANOS = 2_000_000_000L;

  /**
   * Of a lane, until so many were begun of which none was answered, and in an outage after each pause.
   * So a Broker that is slow is given more than one at a time, and one that is silent not all that may
   * be in flight.
   */
  private static final int AT_ONCE = 8;

  private static final int MAX_IN_FLIGHT = 32;

  /** Of them, of those that had no answer before; so that they leave room for the others. */
  private static final int MAX_SILENT_IN_FLIGHT = 16;

  /**
   * Beside them, one at a time as they are answered, or after a while: a Broker that vanished and is
   * back lets all that it was sent wait for as long as an answer is waited for.
   */
  private static final int MAX_PROBES = 8;

  private static final long PROBE_EVERY_NANOS = 30_000_000_000L;

  /** Beyond what an attempt itself allows for: nothing is heard of it any more. */
  private static final long LOST_AFTER_NANOS = 720_000_000_000L;

  /** After that much without any answer it is worth a line. */
  private static final long SILENCE_NANOS = 60_000_000_000L;

  /**
   * How long an event is tried here at the least, however old its record is: a broker that was down for
   * longer than the patience may be up before the Broker is.
   */
  private static final long MIN_PATIENCE_NANOS = 600_000_000_000L;

  private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // by their positions
  private final long patience;
  private long answered; // definitely
  private long answeredAt;
  private int begun; // since one was answered, or the pause of all
  private long begunAt; // the last
  private int failed; // different ones since one was answered
  private int outage; // failures in a row, from the second event on
  private long heardAt; // an attempt that was begun before tells nothing new of the Broker when it fails
  private long nobodyBefore;
  private boolean firstWent; // the last turn was of one that had not failed

  Turns(long patience, long now) {
    this.patience = patience;
    answeredAt = heardAt = begunAt = now;
  }

  /** How long an event waits at the most, an attempt that was begun by then included. */
  static Duration longest(Duration patience) {
    return patience.multipliedBy(2).plusNanos(LOST_AFTER_NANOS);
  }

  int size() {
    return entries.size();
  }

  /** Failures in a row, from the second event on; 0 where all is well. */
  int outage() {
    return outage;
  }

  /** Whether one waits for its answer for a minute or more, and none was answered since it was sent. */
  boolean isSilent(long now) {
    for (Entry entry : entries) {
      if (entry.inFlight && entry.began - answeredAt >= 0 && now - entry.began >= SILENCE_NANOS) {
        return true;
      }
    }
    return false;
  }

  /** Whether no event of a record up to there waits. */
  boolean isDoneUpTo(long position) {
    return entries.isEmpty() || entries.peekFirst().event().position() > position;
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
      if (entry.inFlight && now - entry.began > LOST_AFTER_NANOS) {
        failed(entry, new Attempt(Answer.NONE, "nothing was heard of it"), now);
      }
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
      next.began = begunAt = now;
      begun++;
      firstWent = next.isFirst();
    }
    return next;
  }

  private Entry next(long now) {
    Entry first = null; // the oldest that never failed
    Entry again = null; // of the others the one that is due for longest
    Entry silent = null; // the same, of those that had no answer
    int inFlight = 0;
    int silentInFlight = 0;
    int firstBusy = 0; // in its lane
    int againBusy = 0;
    Set<Long> about = new HashSet<>();
    for (Entry entry : entries) {
      boolean isBehind = !about.add(entry.event().key());
      boolean isFirst = entry.isFirst();
      if (entry.inFlight) {
        boolean isInItsLane = now - entry.began < ASIDE_AFTER_NANOS;
        inFlight++;
        silentInFlight += entry.isSilent ? 1 : 0;
        firstBusy += isInItsLane && isFirst ? 1 : 0;
        againBusy += isInItsLane && !isFirst ? 1 : 0;
      } else if (isBehind) {
        continue;
      } else if (isFirst) {
        first = first == null ? entry : first;
      } else if (entry.due - now <= 0 && !isOld(entry, now)) {
        if (entry.isSilent) {
          silent = earlier(silent, entry);
        } else {
          again = earlier(again, entry);
        }
      }
    }
    boolean mayProbe = begun == 0 || now - begunAt >= PROBE_EVERY_NANOS;
    if (inFlight >= MAX_IN_FLIGHT && !(mayProbe && inFlight < MAX_IN_FLIGHT + MAX_PROBES)) {
      return null;
    }
    if (again == null && silentInFlight < MAX_SILENT_IN_FLIGHT) {
      again = silent;
    }
    int atOnce = begun < AT_ONCE ? AT_ONCE : 1;
    first = firstBusy >= atOnce ? null : first;
    again = againBusy >= atOnce ? null : again;
    return first != null && (again == null || !firstWent) ? first : again;
  }

  private static Entry earlier(Entry one, Entry other) {
    return one == null || other.due - one.due < 0 ? other : one;
  }

  /** It had a definite answer, good or bad: the Broker is there. Whether it was not given up before. */
  boolean answered(Entry entry, long now) {
    boolean waited = entries.remove(entry);
    answered++;
    answeredAt = heardAt = now;
    begun = 0;
    failed = 0;
    outage = 0;
    return waited;
  }

  /** It is to be tried again. Whether an outage has grown by it. */
  boolean failed(Entry entry, Attempt attempt, long now) {
    if (!entry.inFlight) {
      return false; // it was given up for lost before
    }
    entry.inFlight = false;
    entry.isSilent = attempt.answer() == Answer.NONE;
    entry.said = attempt.said();
    long pause = pauseAfter(++entry.failures, MAX_DOUBLINGS);
    entry.due = now + (entry.isSilent ? PAUSE_AFTER_NONE_NANOS : pause);
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
    begun = 0;
    heardAt = now;
    nobodyBefore = now + pauseAfter(outage, MAX_DOUBLINGS_OF_ALL);
    return true;
  }

  private static long pauseAfter(int failures, int maxDoublings) {
    return FIRST_PAUSE_NANOS << Math.min(failures - 1, maxDoublings);
  }
}
