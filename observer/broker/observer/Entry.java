package observer;

/** An event that waits. What is not private, {@link Turns} alone changes. */
final class Entry {
  private final CloudEvent event;
  final long deadline;
  long due;
  long began;
  boolean inFlight;
  int failures;
  boolean isSilent; // it had no answer the last time
  private boolean isNamed;
  long failedAfter = -1; // so many that had a definite answer
  String said = "its turn did not come";

  Entry(CloudEvent event, long deadline) {
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

  /** True once, for who writes of it. */
  boolean name() {
    boolean isNews = !isNamed;
    isNamed = true;
    return isNews;
  }

  boolean isFirst() {
    return failures == 0;
  }
}
