package observer;

/**
 * The table: what a Broker answered -> what that says of the event.
 *
 * <p>Only what is plainly about the event, and stays so, gives it up. All else is of the Broker, of the way
 * to it or of who sends, mends itself or is mended by a person, and says so little of the event that no
 * number of such failures counts against it. It is what the bridge tries again as well ({@code
 * crates/eventing/src/retry.rs}), and more: there a job has a person's attention as an incident, here
 * the event would be gone.
 */
enum Answer {
  /** 2xx. */
  ACCEPTED,

  /** To be tried again. So is what got no answer at all, for whatever reason. */
  AGAIN,

  /** About the event, and it stays so. */
  REFUSED;

  static Answer of(int status) {
    return switch (status / 100) {
      case 2 -> ACCEPTED;
      case 4 -> ofTheRequest(status);
      // 3xx is an address to be mended. 1xx is no answer, and 600 and above no status: RFC 9110 has it
      // taken for 5xx.
      default -> AGAIN;
    };
  }

  private static Answer ofTheRequest(int status) {
    return switch (status) {
      // Who sends: a token that ran out, a policy.
      case 401, 403, 407 -> AGAIN;
      // Where to: a Broker that is not there yet, or any more, or an address that is another's.
      case 404, 405, 410, 421 -> AGAIN;
      // When: too slow, too early, too much, or beside another.
      case 408, 409, 425, 429 -> AGAIN;
      // What: 400, 413, 415, 422 and all the others.
      default -> REFUSED;
    };
  }
}
