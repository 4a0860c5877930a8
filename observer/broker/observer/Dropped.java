package observer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Metrics;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;

/**
 * Counts events that never reached the Broker, among the engine's own metrics as {@code
 * eventing_zeebe_events_dropped_total}, and names the first ten of each minute in its log.
 */
final class Dropped {
  enum Reason {
    /** An answer that is about it and stays. */
    REFUSED,
    /** It has waited for too long. */
    PATIENCE,
    /** Too many waited. */
    CROWDED
  }

  private static final long MINUTE_NANOS = 60_000_000_000L;
  private static final int LINES_A_MINUTE = 10;

  private final Map<Reason, Counter> counters = new EnumMap<>(Reason.class);
  private final Logger log;
  private long minute = System.nanoTime();
  private int lines;
  private long unnamed;

  Dropped(int partition, Logger log) {
    this.log = log;
    for (Reason reason : Reason.values()) {
      Counter counter =
          Counter.builder("eventing.zeebe.events.dropped")
              .description("Events about incidents and messages that never reached the Broker")
              .tag("partition", Integer.toString(partition))
              .tag("reason", reason.name().toLowerCase(Locale.ROOT))
              .register(Metrics.globalRegistry);
      counters.put(reason, counter);
    }
  }

  synchronized void add(CloudEvent event, Reason reason, String why) {
    counters.get(reason).increment();
    long now = System.nanoTime();
    if (now - minute > MINUTE_NANOS) {
      minute = now;
      lines = 0;
    }
    if (lines == LINES_A_MINUTE) {
      unnamed++;
      return;
    }
    lines++;
    log.error(
        "event {} ({}, about {}) was dropped, and {} unnamed before it: {}",
        event.id(),
        event.type(),
        event.key(),
        unnamed,
        why);
    unnamed = 0;
  }
}
