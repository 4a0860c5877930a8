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
    CROWDED,
    /** No event could be made of the record: a mistake of ours, or another version of the engine. */
    UNMADE
  }

  private final Map<Reason, Counter> counters = new EnumMap<>(Reason.class);
  private final LinesAMinute lines = new LinesAMinute(10);
  private final Logger log;

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

  /** {@code position} is of the record. */
  synchronized void addUnmade(long position, Throwable cause) {
    counters.get(Reason.UNMADE).increment();
    long unnamed = lines.next();
    if (unnamed >= 0) {
      log.error("no event can be made of the record at {}, and {} unnamed before it", position, unnamed, cause);
    }
  }

  synchronized void add(CloudEvent event, Reason reason, String why) {
    counters.get(reason).increment();
    long unnamed = lines.next();
    if (unnamed >= 0) {
      log.error(
          "event {} ({}, about {}) was dropped, and {} unnamed before it: {}",
          event.id(),
          event.type(),
          event.key(),
          unnamed,
          why);
    }
  }
}
