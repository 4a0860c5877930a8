package observer;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Metrics;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts events as they are made, sent or not, among the engine's own metrics as {@code
 * eventing_zeebe_events_total}. One that is told of again after a restart counts again.
 */
final class Made {
  private final Map<String, Counter> counters = new TreeMap<>(); // by type

  Made(int partition) {
    for (String type : Happenings.TYPES) {
      Counter counter =
          Counter.builder("eventing.zeebe.events")
              .description("Events about incidents, and messages that nobody took")
              .tag("partition", Integer.toString(partition))
              .tag("type", type)
              .register(Metrics.globalRegistry);
      counters.put(type, counter);
    }
  }

  void add(CloudEvent event) {
    counters.get(event.type()).increment();
  }
}
