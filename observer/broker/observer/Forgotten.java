package observer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Metrics;
import org.slf4j.Logger;

/**
 * Counts messages that are forgotten while nobody has taken them, among the engine's own metrics as {@code
 * eventing_zeebe_messages_forgotten_total}, and names the first of each minute in its log.
 */
final class Forgotten {
  private final LinesAMinute lines = new LinesAMinute(1);
  private final Counter counter;
  private final Logger log;

  Forgotten(int partition, Logger log) {
    this.log = log;
    counter =
        Counter.builder("eventing.zeebe.messages.forgotten")
            .description("Messages of whose end nothing is told, as too many wait to be remembered")
            .tag("partition", Integer.toString(partition))
            .register(Metrics.globalRegistry);
  }

  void add(long key, String why) {
    counter.increment();
    long unnamed = lines.next();
    if (unnamed >= 0) {
      log.warn(
          "message {} is forgotten, and {} unnamed before it: {}; if nobody takes it, no event tells of it",
          key,
          unnamed,
          why);
    }
  }
}
