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

  /** To be tried again. So is what was never sent, or broke off. */
  AGAIN,

  /** None in time. To be tried again, but much later: the event may have been taken. */
  NONE,

  /** About the event, and it stays so. */
  REFUSED;

  static Answer of(int status) {
    return switch (status) {
      // What it is: its form, size, kind, content or headers.
      case 400, 413, 414, 415, 422, 431 -> REFUSED;
      // 3xx is an address to be mended; of other 4xx nobody knows that they are about the event. 1xx is no
      // answer, and 600 and above no status: RFC 9110 has it taken for 5xx.
      default -> status / 100 == 2 ? ACCEPTED : AGAIN;
    };
  }
}
