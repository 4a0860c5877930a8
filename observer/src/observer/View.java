package observer;

import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.intent.IncidentIntent;
import io.camunda.zeebe.protocol.record.intent.Intent;
import io.camunda.zeebe.protocol.record.intent.ProcessInstanceIntent;
import io.camunda.zeebe.protocol.record.intent.VariableIntent;
import io.camunda.zeebe.protocol.record.value.BpmnElementType;
import io.camunda.zeebe.protocol.record.value.IncidentRecordValue;
import io.camunda.zeebe.protocol.record.value.ProcessInstanceRecordValue;
import io.camunda.zeebe.protocol.record.value.VariableRecordValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The process instances of one partition, folded from its records.
 *
 * <p>Bounded: past 5,000 running or 1,000 ended instances the oldest is forgotten, and long
 * variables are shown by their size. This is a window to look through, no store.
 */
final class View {
  private static final int MAX_ACTIVE = 5_000;
  private static final int MAX_ENDED = 1_000;
  private static final int MAX_CHARS_OF_ONE = 4 << 10;
  private static final long MAX_CHARS = 16 << 20; // of all variables together

  private final Map<Long, Instance> active = new LinkedHashMap<>(); // in the order of their start
  private final ArrayDeque<Instance> ended = new ArrayDeque<>();
  private final Index index = new Index();
  private long chars;

  synchronized void apply(Record<?> record) {
    switch (record.getValueType()) {
      case PROCESS_INSTANCE -> element(record, (ProcessInstanceRecordValue) record.getValue());
      case VARIABLE -> variable(record, (VariableRecordValue) record.getValue());
      case INCIDENT -> incident(record, (IncidentRecordValue) record.getValue());
      default -> {}
    }
  }

  private void element(Record<?> record, ProcessInstanceRecordValue value) {
    long instanceKey = value.getProcessInstanceKey();
    Intent intent = record.getIntent();
    boolean completed = intent == ProcessInstanceIntent.ELEMENT_COMPLETED;
    boolean left = completed || intent == ProcessInstanceIntent.ELEMENT_TERMINATED;
    if (record.getKey() != instanceKey) {
      Instance instance = active.get(instanceKey);
      if (instance == null) {
        return;
      }
      // From ACTIVATING on: an element whose inputs cannot be mapped has its incident there.
      if (left) {
        instance.left(record.getKey());
        if (completed) {
          instance.completed(value.getElementId());
        }
        if (completed && value.getBpmnElementType() == BpmnElementType.END_EVENT) {
          instance.reached(value.getElementId());
        }
      } else if (intent == ProcessInstanceIntent.SEQUENCE_FLOW_TAKEN) {
        instance.completed(value.getElementId());
      } else if (intent == ProcessInstanceIntent.ELEMENT_ACTIVATING) {
        instance.entered(record.getKey(), value.getElementId(), value.getBpmnElementType().name());
      }
    } else if (intent == ProcessInstanceIntent.ELEMENT_ACTIVATING) {
      started(record, instanceKey).isOf(value.getBpmnProcessId(), value.getVersion());
    } else if (left) {
      Instance instance = active.remove(instanceKey);
      if (instance != null) {
        var how = completed ? Instance.State.COMPLETED : Instance.State.TERMINATED;
        instance.ended(how, record.getTimestamp());
        ended.addLast(instance);
        if (ended.size() > MAX_ENDED) {
          forget(ended.removeFirst());
        }
      }
    }
  }

  /** The instance, made if its first record is this one: variables of a message come before it. */
  private Instance started(Record<?> record, long instanceKey) {
    Instance instance = active.get(instanceKey);
    if (instance == null) {
      instance = new Instance(instanceKey, record.getPosition(), record.getTimestamp());
      active.put(instanceKey, instance);
      if (active.size() > MAX_ACTIVE) {
        Iterator<Instance> oldest = active.values().iterator();
        forget(oldest.next());
        oldest.remove();
      }
    }
    return instance;
  }

  private void forget(Instance instance) {
    chars -= instance.chars();
    index.forget(instance);
  }

  private void variable(Record<?> record, VariableRecordValue value) {
    // Of the whole instance only: what an element sees besides lives shorter than a look at it.
    // One that goes over to another version with its instance is told of without its value.
    if (value.getScopeKey() == value.getProcessInstanceKey()
        && record.getIntent() != VariableIntent.MIGRATED) {
      Instance instance = started(record, value.getProcessInstanceKey());
      String name = value.getName();
      String before = instance.valueOf(name);
      chars -= instance.chars();
      instance.variable(name, value.getValue(), Math.min(MAX_CHARS_OF_ONE, MAX_CHARS - chars));
      chars += instance.chars();
      index.changed(name, before, instance.valueOf(name), instance);
    }
  }

  private void incident(Record<?> record, IncidentRecordValue value) {
    Instance instance = active.get(value.getProcessInstanceKey());
    if (instance == null) {
      return;
    }
    if (record.getIntent() == IncidentIntent.CREATED) {
      String type = Objects.toString(value.getErrorType());
      instance.incident(
          record.getKey(),
          new Instance.Incident(
              value.getElementId(),
              value.getElementInstanceKey(),
              value.getJobKey(),
              type,
              value.getErrorMessage()));
    } else if (record.getIntent() == IncidentIntent.RESOLVED) {
      instance.resolved(record.getKey());
    }
  }

  /**
   * Up to where the engine may forget its records: before the first one of the oldest running
   * instance, so that after a restart the running ones are seen again.
   */
  synchronized long dispensable(long upTo) {
    Iterator<Instance> oldest = active.values().iterator();
    return oldest.hasNext() ? Math.min(upTo, oldest.next().firstPosition - 1) : upTo;
  }

  /** What is asked for; ended ones first. A variable is asked for by its name and its value as JSON. */
  synchronized void write(
      Json json, String key, String process, String state, String variable, String value) {
    List<Instance> all = new ArrayList<>();
    all.addAll(ended);
    all.addAll(active.values());
    Collection<Instance> some = variable == null ? all : index.find(variable, value, all);
    for (Instance instance : some) {
      if (instance.matches(key, process, state)) {
        instance.write(json);
      }
    }
  }
}
