package observer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Metrics;
import org.slf4j.Logger;

/**
 * Counts events that never reached the Broker, among the engine's own metrics as {@code
 * eventing_zeebe_events_dropped_total}, and names the first of each minute in its log.
 */
final class Dropped {
  private static final long LINE_EVERY_NANOS = 60_000_000_000L;

  private final Counter counter;
  private final Logger log;
  private Long lastLine;

  Dropped(int partition, Logger log) {
    this.log = log;
    counter =
        Counter.builder("eventing.zeebe.events.dropped")
            .description("Events about incidents and messages that never reached the Broker")
            .tag("partition", Integer.toString(partition))
            .register(Metrics.globalRegistry);
  }

  synchronized void add(CloudEvent event, String why) {
    counter.increment();
    long now = System.nanoTime();
    if (lastLine == null || now - lastLine > LINE_EVERY_NANOS) {
      lastLine = now;
      log.error(
          "event {} was dropped, of {} on this partition: {}",
          event.id(),
          (long) counter.count(),
          why);
    }
  }
}
