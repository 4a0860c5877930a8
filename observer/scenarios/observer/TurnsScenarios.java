package observer;

import static observer.Scenarios.equal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

final class TurnsScenarios {
  private static final long MILLISECOND = 1_000_000L;
  private static final long SECOND = 1000 * MILLISECOND;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;

  private static final Attempt BUSY = new Attempt(Answer.AGAIN, "503");
  private static final Attempt SILENT = new Attempt(Answer.NONE, "no answer");

  /** Close to where the clock turns from the greatest number to the least, as it may. */
  private long now = Long.MAX_VALUE - 10 * SECOND;

  private long position;
  private Turns turns = new Turns(HOUR, now);

  /** Adds events, each about an incident of its own. */
  private void add(int events) {
    for (int event = 0; event < events; event++) {
      add(-position, 0);
    }
  }

  private void add(long key, long age) {
    turns.add(new CloudEvent(++position, key, Map.of(), new byte[0]), age, now);
  }

  /** Begins all whose turn it is. */
  private List<Entry> begin() {
    List<Entry> begun = new ArrayList<>();
    for (Entry next = turns.begin(now); next != null; next = turns.begin(now)) {
      begun.add(next);
    }
    return begun;
  }

  private Entry beginOne() {
    List<Entry> begun = begin();
    equal(1, begun.size());
    return begun.get(0);
  }

  /** How many are begun by then, of which none is answered. */
  private int beginFor(long nanos) {
    int begun = begin().size();
    for (long end = now + nanos; now - end < 0; ) {
      now += SECOND;
      begun += begin().size();
    }
    return begun;
  }

  /** How long it takes until there is one whose turn it is, which is begun. */
  private long untilNext() {
    long since = now;
    while (turns.begin(now) == null) {
      now += 100 * MILLISECOND;
      if (now - since > HOUR) {
        throw new AssertionError("nobody's turn in an hour");
      }
    }
    return now - since;
  }

  /** All at once, a moment after they were begun. */
  private void fail(Attempt attempt, List<Entry> entries) {
    now += MILLISECOND;
    entries.forEach(entry -> turns.failed(entry, attempt, now));
  }

  private List<Long> givenUp() {
    return turns.removeOld(now).stream().map(entry -> entry.event().position()).toList();
  }

  void aBrokerThatAnswersIsGivenEightAtOnceHoweverLongItTakes() {
    add(100);
    for (int round = 0; round < 12; round++) {
      List<Entry> begun = begin();
      equal(8, begun.size());
      now += 1500 * MILLISECOND;
      begun.forEach(entry -> turns.answered(entry, now));
    }
    equal(4, begin().size());
  }

  void oneThatIsSilentIsGivenEightAndThenOneEveryTwoSecondsUpTo32AndEightToSeeWhetherItIsBack() {
    add(100);
    equal(8, begin().size());
    equal(1, beginFor(3 * SECOND));
    equal(32 - 9, beginFor(MINUTE));
    equal(2, beginFor(MINUTE));
    equal(6, beginFor(5 * MINUTE));
    equal(0, beginFor(5 * MINUTE));
  }

  void oneThatVanishedForAMinuteIsGivenTheRestAsSoonAsItAnswersOne() {
    add(100);
    int sent = begin().size() + beginFor(MINUTE);
    equal(32, sent);
    long back = now;
    while (sent < 100) {
      for (Entry entry : begin()) {
        turns.answered(entry, now);
        sent++;
      }
      now += 10 * MILLISECOND;
    }
    equal(true, now - back < 40 * SECOND);
    equal(32, turns.size());
  }

  void thoseThatAreNeverAnsweredLeaveRoomForEightMoreWhileOthersAre() {
    add(8);
    equal(8, begin().size());
    now += 2 * SECOND;
    add(100);
    for (int round = 0; round < 10; round++) {
      begin().forEach(entry -> turns.answered(entry, now));
      // The first time one alone, after which it is known that the Broker answers.
      equal(100 - 1 - 8 * round, turns.size() - 8);
    }
  }

  void eightThatFailAtOnceSayAsMuchOfTheBrokerAsTwo() {
    add(20);
    fail(BUSY, begin());
    equal(1, turns.outage());
    equal(List.of(), begin());
    equal(500 * MILLISECOND, untilNext());
  }

  void twoThatFailAreAnOutageAndOneIsNone() {
    add(2);
    List<Entry> begun = begin();
    fail(BUSY, begun.subList(0, 1));
    equal(0, turns.outage());
    fail(BUSY, begun.subList(1, 2));
    equal(1, turns.outage());
  }

  void inAnOutageThoseThatNeverFailedAndTheOthersTakeTurns() {
    add(20);
    fail(BUSY, begin());
    List<Boolean> failedBefore = new ArrayList<>();
    for (int attempt = 0; attempt < 6; attempt++) {
      now += 2 * SECOND;
      Entry next = turns.begin(now);
      failedBefore.add(next.failures() > 0);
      fail(BUSY, List.of(next));
    }
    equal(List.of(true, false, true, false, true, false), failedBefore);
  }

  void inAnOutageEightAreTriedAtATimeWithAPauseOfUpToTwoSecondsBetween() {
    add(100);
    List<Long> pauses = new ArrayList<>();
    fail(BUSY, begin());
    for (int round = 0; round < 4; round++) {
      long since = now;
      List<Entry> next = List.of();
      while (next.isEmpty()) {
        now += 100 * MILLISECOND;
        next = begin();
      }
      pauses.add((now - since) / MILLISECOND);
      equal(8, next.size());
      fail(BUSY, next);
    }
    equal(List.of(500L, 1000L, 2000L, 2000L), pauses);
    equal(5, turns.outage());
  }

  void aLongBurstOfEventsThatAlwaysFailHoldsUpForMinutesOneThatWouldBeAccepted() {
    add(950);
    long since = now;
    add(1);
    while (turns.size() == 951) {
      for (Entry entry : begin()) {
        if (entry.event().position() == 951) {
          turns.answered(entry, now);
        } else {
          fail(BUSY, List.of(entry));
        }
      }
      now += 100 * MILLISECOND;
    }
    equal(true, now - since < 10 * MINUTE);
    equal(0, turns.outage());
  }

  void oneThatFailsAgainAfterAnotherWasAnsweredIsANewSign() {
    add(2);
    List<Entry> both = begin();
    fail(BUSY, both.subList(0, 1));
    turns.answered(both.get(1), now);
    now += SECOND;
    fail(BUSY, begin());
    add(1);
    now += SECOND;
    fail(BUSY, begin().subList(0, 1));
    equal(1, turns.outage());
  }

  void anAnswerEndsAnOutage() {
    add(20);
    fail(BUSY, begin());
    now += SECOND;
    turns.answered(begin().get(0), now);
    equal(0, turns.outage());
    equal(false, begin().isEmpty());
  }

  void whatWasBegunBeforeAnAnswerAndFailsAfterItSaysNothingOfTheBroker() {
    add(20);
    List<Entry> begun = begin();
    now += SECOND;
    turns.answered(begun.get(0), now);
    fail(BUSY, begun.subList(1, 8));
    equal(0, turns.outage());
    equal(8, begin().size());
  }

  void eventsAboutOneIncidentAreSentInTheirOrder() {
    long incident = 7;
    add(incident, 0);
    add(incident, 0);
    Entry created = beginOne();
    equal(1L, created.event().position());
    turns.failed(created, BUSY, now);
    equal(500 * MILLISECOND, untilNext());
    equal(0, beginFor(10 * SECOND));
    turns.answered(created, now);
    equal(2L, beginOne().event().position());
  }

  void oneThatFailsAloneHasAPauseOfItsOwnWhichGrowsTo32Seconds() {
    add(1);
    Entry alone = beginOne();
    List<Long> pauses = new ArrayList<>();
    for (int attempt = 0; attempt < 8; attempt++) {
      equal(false, turns.failed(alone, BUSY, now));
      pauses.add(untilNext() / MILLISECOND);
    }
    equal(List.of(500L, 1000L, 2000L, 4000L, 8000L, 16000L, 32000L, 32000L), pauses);
    equal(0, turns.outage());
  }

  void oneThatHadNoAnswerInTimeComesAgainAfterFiveMinutes() {
    add(1);
    Entry silent = beginOne();
    now += 10 * MINUTE;
    turns.failed(silent, SILENT, now);
    equal(5 * MINUTE, untilNext());
  }

  /** Adds events that have failed once, in between others that were answered. */
  private void addFailed(int events, Attempt attempt) {
    for (int event = 0; event < events; event++) {
      add(1);
      Entry fails = beginOne();
      add(1);
      turns.answered(beginOne(), now);
      turns.failed(fails, attempt, now);
    }
  }

  void ofThoseThatHadNoAnswerBeforeSixteenAreInFlightAtTheMostWhichLeavesRoomForTheOthers() {
    addFailed(40, SILENT);
    now += 5 * MINUTE;
    equal(16, beginFor(2 * MINUTE));
    add(40);
    equal(16, beginFor(40 * SECOND));
  }

  void oneThatFailedOnceGoesBeforeThoseThatHadNoAnswer() {
    addFailed(40, SILENT);
    now += 5 * MINUTE - SECOND;
    addFailed(1, BUSY);
    now += SECOND;
    equal("503", turns.begin(now).said());
  }

  void ofThoseThatFailedBeforeEightAreSentAtOnceAndTheOneThatIsDueForLongestFirst() {
    addFailed(1, BUSY);
    now += 100 * MILLISECOND;
    addFailed(19, BUSY);
    now += SECOND;
    List<Entry> begun = begin();
    equal(8, begun.size());
    equal(1L, begun.get(0).event().position());
  }

  void oneOfWhichNothingIsHeardAnyMoreHadNoAnswer() {
    add(1);
    Entry lost = beginOne();
    now += 12 * MINUTE;
    givenUp();
    equal(List.of(), begin());
    now += 1;
    equal(List.of(), givenUp());
    equal("nothing was heard of it", lost.said());
    equal(5 * MINUTE, untilNext());
  }

  void oneThatWasGivenUpIsAnsweredToNobody() {
    add(2);
    List<Entry> both = begin();
    now += 2 * HOUR;
    equal(List.of(1L, 2L), givenUp());
    equal(false, turns.failed(both.get(0), BUSY, now));
    equal(1, both.get(0).failures());
    equal(false, turns.answered(both.get(1), now));
    equal(0, turns.size());
  }

  void aSilenceIsOneWhereAnAttemptOfAMinuteAgoAndAllSinceHaveNoAnswer() {
    add(2);
    List<Entry> both = begin();
    now += MINUTE - 1;
    equal(false, turns.isSilent(now));
    now += 1;
    equal(true, turns.isSilent(now));
    turns.answered(both.get(0), now);
    equal(false, turns.isSilent(now + HOUR));
  }

  void aPositionIsDoneWithWhenAllUpToItAreHoweverTheyWereAnswered() {
    add(3);
    List<Entry> begun = begin();
    equal(true, turns.isDoneUpTo(0));
    turns.answered(begun.get(1), now);
    turns.answered(begun.get(2), now);
    equal(false, turns.isDoneUpTo(1));
    equal(false, turns.isDoneUpTo(3));
    turns.answered(begun.get(0), now);
    equal(true, turns.isDoneUpTo(1));
    equal(true, turns.isDoneUpTo(4));
  }

  void anEventIsGivenUpWhenItsRecordIsAsOldAsThePatienceButNotBeforeItWasTriedForTenMinutes() {
    add(1, 30 * MINUTE);
    add(2, 59 * MINUTE);
    add(3, 5 * HOUR);
    // A clock that is behind.
    add(4, -HOUR);
    fail(BUSY, begin());
    now += 10 * MINUTE - MILLISECOND;
    equal(List.of(), givenUp());
    now += SECOND;
    equal(List.of(2L, 3L), givenUp());
    now += 20 * MINUTE;
    equal(List.of(1L), givenUp());
    now += 30 * MINUTE - 2 * SECOND;
    equal(List.of(), givenUp());
    now += 2 * SECOND;
    equal(List.of(4L), givenUp());
  }

  void aPatienceOfLessThanTenMinutesIsKeptToAsWell() {
    turns = new Turns(SECOND, now);
    add(1, HOUR);
    fail(BUSY, begin());
    now += SECOND - MILLISECOND;
    equal(List.of(), givenUp());
    now += 1;
    // Nor is it tried once more.
    equal(List.of(), begin());
    equal(List.of(1L), givenUp());
  }

  void theLongestThatAnEventWaitsIsTwiceThePatienceAndAnAttempt() {
    equal(Duration.ofMinutes(132), Turns.longest(Duration.ofHours(1)));
  }

  void oneWhoseTurnNeverCameWaitsTwiceAsLongWhileTheBrokerAnswersOthers() {
    add(8);
    List<Entry> others = begin();
    add(1);
    now += 50 * MINUTE;
    turns.answered(others.get(0), now);
    now += 50 * MINUTE;
    equal(false, givenUp().contains(9L));
    turns.answered(others.get(1), now);
    now += 20 * MINUTE;
    equal(List.of(), givenUp());
    now += 1;
    equal(List.of(9L), givenUp());
  }

  void oneWhoseTurnNeverCameIsGivenUpWithTheOthersWhereTheBrokerAnswersNone() {
    add(8);
    begin();
    add(1);
    now += HOUR;
    equal(List.of(), givenUp());
    now += 1;
    equal(true, givenUp().contains(9L));
  }

  void theOldestIsGivenUpForAnotherButNoneThatIsInFlight() {
    add(10);
    equal(8, begin().size());
    equal(9L, turns.removeOldest().event().position());
    equal(10L, turns.removeOldest().event().position());
    equal(null, turns.removeOldest());
  }
}
