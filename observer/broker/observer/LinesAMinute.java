package observer;

/** Bounds what is written to the log about things that may happen often. Not thread-safe. */
final class LinesAMinute {
  private static final long MINUTE_NANOS = 60_000_000_000L;

  private final int most;
  private long minute = System.nanoTime();
  private int lines;
  private long unnamed;

  LinesAMinute(int most) {
    this.most = most;
  }

  /** How many there were since the last line that were not written of; below 0 where this is another. */
  long next() {
    long now = System.nanoTime();
    if (now - minute > MINUTE_NANOS) {
      minute = now;
      lines = 0;
    }
    if (lines == most) {
      unnamed++;
      return -1;
    }
    lines++;
    long before = unnamed;
    unnamed = 0;
    return before;
  }
}
