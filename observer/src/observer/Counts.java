package observer;

import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.intent.IncidentIntent;
import io.camunda.zeebe.protocol.record.intent.Intent;
import io.camunda.zeebe.protocol.record.intent.ProcessInstanceIntent;
import io.camunda.zeebe.protocol.record.value.BpmnElementType;
import io.camunda.zeebe.protocol.record.value.IncidentRecordValue;
import io.camunda.zeebe.protocol.record.value.ProcessInstanceRecordValue;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * How many instances of each process of one partition there are and were, and where they ended.
 *
 * <p>Unlike {@link View} it forgets no instance, as it keeps none: it counts each record once, also
 * where the engine tells of it again after a restart.
 */
final class Counts {
  private static final int MAX_PROCESSES = 1_000;
  private static final int MAX_END_EVENTS = 200;

  /** Of one process, or of one process on all partitions. */
  static final class OfProcess {
    private long active;
    private long completed;
    private long terminated;
    private long incidents;
    private final Map<String, Long> endEvents = new TreeMap<>();

    void write(Json json) {
      json.open('{');
      json.name("active").raw(active).name("completed").raw(completed);
      json.name("terminated").raw(terminated).name("incidents").raw(incidents);
      json.name("endEvents").open('{');
      endEvents.forEach((id, count) -> json.name(id).raw(count));
      json.close('}').close('}');
    }

    private void endedIn(String id, long times) {
      if (endEvents.size() < MAX_END_EVENTS || endEvents.containsKey(id)) {
        endEvents.merge(id, times, Long::sum);
      }
    }
  }

  private final Map<String, OfProcess> processes = new TreeMap<>();
  private long counted; // position of the last record

  synchronized void apply(Record<?> record) {
    if (record.getPosition() <= counted) {
      return;
    }
    counted = record.getPosition();
    switch (record.getValueType()) {
      case PROCESS_INSTANCE ->
          element(record.getKey(), record.getIntent(), (ProcessInstanceRecordValue) record.getValue());
      case INCIDENT -> incident(record.getIntent(), (IncidentRecordValue) record.getValue());
      default -> {}
    }
  }

  private void element(long key, Intent intent, ProcessInstanceRecordValue value) {
    boolean whole = key == value.getProcessInstanceKey();
    boolean completed = intent == ProcessInstanceIntent.ELEMENT_COMPLETED;
    if (whole && intent == ProcessInstanceIntent.ELEMENT_ACTIVATING) {
      of(value.getBpmnProcessId()).active++;
    } else if (whole && completed) {
      of(value.getBpmnProcessId()).active--;
      of(value.getBpmnProcessId()).completed++;
    } else if (whole && intent == ProcessInstanceIntent.ELEMENT_TERMINATED) {
      of(value.getBpmnProcessId()).active--;
      of(value.getBpmnProcessId()).terminated++;
    } else if (completed && value.getBpmnElementType() == BpmnElementType.END_EVENT) {
      of(value.getBpmnProcessId()).endedIn(value.getElementId(), 1);
    }
  }

  private void incident(Intent intent, IncidentRecordValue value) {
    if (intent == IncidentIntent.CREATED) {
      of(value.getBpmnProcessId()).incidents++;
    } else if (intent == IncidentIntent.RESOLVED) {
      of(value.getBpmnProcessId()).incidents--;
    }
  }

  private OfProcess of(String process) {
    OfProcess known = processes.get(process);
    if (known == null) {
      known = new OfProcess();
      if (processes.size() < MAX_PROCESSES) {
        processes.put(process, known);
      }
    }
    return known;
  }

  /** Adds what is known of a process to {@code sum}. */
  synchronized void addTo(OfProcess sum, String process) {
    OfProcess known = processes.get(process);
    if (known != null) {
      sum.active += known.active;
      sum.completed += known.completed;
      sum.terminated += known.terminated;
      sum.incidents += known.incidents;
      known.endEvents.forEach(sum::endedIn);
    }
  }

  /** All of it, for the engine to keep; ids of processes and elements have no white space. */
  synchronized byte[] save() {
    StringBuilder out = new StringBuilder().append(counted).append('\n');
    processes.forEach(
        (process, of) -> {
          out.append(process).append(' ').append(of.active).append(' ').append(of.completed);
          out.append(' ').append(of.terminated).append(' ').append(of.incidents);
          of.endEvents.forEach((id, times) -> out.append(' ').append(id).append(' ').append(times));
          out.append('\n');
        });
    return out.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Goes on from what {@link #save} gave. */
  synchronized void load(byte[] saved) {
    String[] lines = new String(saved, StandardCharsets.UTF_8).split("\n");
    counted = Long.parseLong(lines[0]);
    for (int line = 1; line < lines.length; line++) {
      String[] words = lines[line].split(" ");
      OfProcess of = of(words[0]);
      of.active = Long.parseLong(words[1]);
      of.completed = Long.parseLong(words[2]);
      of.terminated = Long.parseLong(words[3]);
      of.incidents = Long.parseLong(words[4]);
      for (int i = 5; i + 1 < words.length; i += 2) {
        of.endedIn(words[i], Long.parseLong(words[i + 1]));
      }
    }
  }
}
