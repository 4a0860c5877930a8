package observer;

/** How an attempt went; {@code said} is for people. */
record Attempt(Answer answer, String said) {}
