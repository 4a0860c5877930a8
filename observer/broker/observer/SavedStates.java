package observer;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.function.LongPredicate;

/**
 * What was remembered after some records of one partition, until the engine is given it: a few, so that
 * one event that waits holds up little of what came before it. Not thread-safe.
 *
 * <p>At most 16, each of 1 MiB at the most, so far apart that together they reach back for longer than any event
 * waits: where they were all there, no further one could be taken until the oldest is done with.
 */
final class SavedStates {
  private static final int MAX = 16;
  private static final long MIN_EVERY_NANOS = 300_000_000_000L;

  /** {@code position} is of the record after which it was so. */
  record State(long position, byte[] bytes, long savedAt) {}

  private final ArrayDeque<State> states = new ArrayDeque<>(); // the oldest first
  private final long every;

  /** {@code longest} is how long an event waits at the most. */
  SavedStates(Duration longest) {
    every = Math.max(MIN_EVERY_NANOS, longest.toNanos() / (MAX - 1));
  }

  /** Whether it is time to {@link #add} one, after the record there. */
  boolean isTimeFor(long position, long now) {
    State newest = states.peekLast();
    return newest == null
        || states.size() < MAX
            && position > newest.position
            && now - newest.savedAt >= every;
  }

  void add(long position, byte[] bytes, long now) {
    states.addLast(new State(position, bytes, now));
  }

  /** Takes out the newest whose position is done with, and all before it; null where there is none. */
  State takeDone(LongPredicate isDone) {
    State done = null;
    while (!states.isEmpty() && isDone.test(states.peekFirst().position)) {
      done = states.removeFirst();
    }
    return done;
  }
}
