package observer;

import static observer.Scenarios.equal;

import java.time.Duration;

final class SavedStatesScenarios {
  private static final long MINUTE = 60_000_000_000L;

  private SavedStates states = new SavedStates(Duration.ofMinutes(75));

  /** Whether one of this position was taken at this minute. */
  private boolean add(long position, long minute) {
    boolean isTime = states.isTimeFor(position, minute * MINUTE);
    if (isTime) {
      states.add(position, new byte[0], minute * MINUTE);
    }
    return isTime;
  }

  void oneIsTakenInFiveMinutesWhereThereWereRecordsAndNeverMoreThanSixteen() {
    equal(true, add(1, 0));
    equal(false, add(2, 4));
    equal(false, add(1, 5));
    equal(true, add(2, 5));
    int taken = 2;
    for (int minute = 6; minute <= 200; minute++) {
      taken += add(minute, minute) ? 1 : 0;
    }
    equal(16, taken);
    // 75 minutes back; the next as soon as the oldest is done with.
    equal(1L, states.takeDone(position -> position <= 1).position());
    equal(true, add(201, 201));
    equal(false, add(300, 300));
  }

  void theyReachBackForAsLongAsAnEventWaitsHoweverLongThatIs() {
    states = new SavedStates(Duration.ofHours(48));
    for (int minute = 0; minute <= 48 * 60; minute++) {
      add(minute, minute);
    }
    // What happened an hour and a half before was put by then, and not 48 hours before.
    long done = 47 * 60 - 30;
    equal(true, states.takeDone(position -> position <= done).position() > done - 200);
    // The shortest pause of all is five minutes, so that little is written.
    states = new SavedStates(Duration.ofSeconds(1));
    equal(true, add(1, 0));
    equal(false, add(2, 4));
    equal(true, add(2, 5));
  }

  void theNewestThatIsDoneWithIsTakenAndThoseBeforeItAreGone() {
    add(10, 0);
    add(20, 5);
    add(30, 10);
    equal(null, states.takeDone(position -> position <= 9));
    equal(20L, states.takeDone(position -> position <= 29).position());
    equal(null, states.takeDone(position -> position <= 29));
    equal(30L, states.takeDone(position -> true).position());
    // With none left the next is taken at once.
    equal(true, add(31, 10));
  }
}
