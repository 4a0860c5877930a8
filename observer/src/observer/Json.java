package observer;

/** Writes JSON; no library, as the brokers differ in which one they carry. */
final class Json {
  private final StringBuilder out = new StringBuilder();
  private boolean needsComma;

  Json open(char bracket) {
    separate();
    out.append(bracket);
    needsComma = false;
    return this;
  }

  Json close(char bracket) {
    out.append(bracket);
    needsComma = true;
    return this;
  }

  Json name(String name) {
    string(name);
    out.append(':');
    needsComma = false;
    return this;
  }

  Json string(String value) {
    separate();
    out.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
    needsComma = true;
    return this;
  }

  /** A key of the engine. As a string: JavaScript's numbers end at 2^53, keys of partition 4 lie beyond. */
  Json key(long key) {
    return string(Long.toString(key));
  }

  /** Text that is JSON already, or a number or boolean. */
  Json raw(Object json) {
    separate();
    out.append(json);
    needsComma = true;
    return this;
  }

  private void separate() {
    if (needsComma) {
      out.append(',');
    }
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
