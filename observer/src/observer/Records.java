package observer;

import java.util.ArrayDeque;

/** The last records as JSON, oldest dropped first; bounded in characters, not in number. */
final class Records {
  private static final int MAX_CHARS = 8 << 20;
  private static final int MAX_CHARS_OF_ONE = 64 << 10;

  private final ArrayDeque<String> kept = new ArrayDeque<>();
  private long chars;
  private long next; // number of the record that comes next; the first kept is next - kept.size()

  synchronized void add(String json) {
    String record = json;
    if (json.length() > MAX_CHARS_OF_ONE) {
      record = "{\"leftOut\":\"a record of " + json.length() + " characters\"}";
    }
    kept.addLast(record);
    chars += record.length();
    next++;
    while (chars > MAX_CHARS) {
      chars -= kept.removeFirst().length();
    }
  }

  /**
   * The records from number {@code since} on, at most {@code limit}. {@code next} in the answer is
   * what to ask for next; {@code first} is greater than {@code since} where some are gone already.
   */
  synchronized void write(Json json, long since, int limit) {
    long oldest = next - kept.size();
    long first = Math.min(Math.max(since, oldest), next);
    long number = oldest;
    json.open('{').name("first").raw(first).name("records").open('[');
    for (String record : kept) {
      if (number >= first + limit) {
        break;
      }
      if (number >= first) {
        json.raw(record);
      }
      number++;
    }
    json.close(']').name("next").raw(Math.max(first, number)).close('}');
  }
}
