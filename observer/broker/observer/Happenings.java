package observer;

import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.intent.IncidentIntent;
import io.camunda.zeebe.protocol.record.value.IncidentRecordValue;
import io.camunda.zeebe.protocol.record.value.MessageRecordValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** A record -> the event that tells of it. Variables are never part of one. */
final class Happenings {
  private static final int MAX_CHARS_OF_ERROR = 1_000;

  private Happenings() {}

  /** Null where a record is of a kind that is not told of. */
  static CloudEvent eventOf(Record<?> record, EventSettings settings) {
    return switch (record.getValueType()) {
      case INCIDENT -> incident(record, (IncidentRecordValue) record.getValue(), settings);
      case MESSAGE -> expired(record, (MessageRecordValue) record.getValue(), settings);
      default -> null;
    };
  }

  private static CloudEvent incident(
      Record<?> record, IncidentRecordValue value, EventSettings settings) {
    String type;
    if (record.getIntent() == IncidentIntent.CREATED) {
      type = "io.camunda.zeebe.incident.created";
    } else if (record.getIntent() == IncidentIntent.RESOLVED) {
      type = "io.camunda.zeebe.incident.resolved";
    } else {
      return null;
    }
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("type", type);
    attributes.put("subject", Long.toString(value.getProcessInstanceKey()));
    // Named as in the events of jobs, so that one filter of a Trigger takes both.
    attributes.put("processinstancekey", Long.toString(value.getProcessInstanceKey()));
    attributes.put("bpmnprocessid", value.getBpmnProcessId());
    attributes.put("elementid", value.getElementId());
    Json data = new Json().open('{');
    data.name("incidentKey").key(record.getKey());
    data.name("errorType").string(Objects.toString(value.getErrorType()));
    data.name("errorMessage").string(beginning(value.getErrorMessage()));
    data.name("bpmnProcessId").string(value.getBpmnProcessId());
    data.name("processDefinitionKey").key(value.getProcessDefinitionKey());
    data.name("processInstanceKey").key(value.getProcessInstanceKey());
    data.name("elementId").string(value.getElementId());
    data.name("elementInstanceKey").key(value.getElementInstanceKey());
    if (value.getJobKey() > 0) {
      data.name("jobKey").key(value.getJobKey());
    }
    data.name("tenantId").string(value.getTenantId()).close('}');
    return event(record, 0, attributes, data, settings);
  }

  private static CloudEvent expired(
      Record<?> record, MessageRecordValue value, EventSettings settings) {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("type", "io.camunda.zeebe.message.expired");
    attributes.put("subject", Long.toString(record.getKey()));
    Json data = new Json().open('{');
    data.name("messageKey").key(record.getKey());
    data.name("name").string(value.getName());
    data.name("messageId").string(value.getMessageId());
    if (settings.correlationKeys()) {
      data.name("correlationKey").string(value.getCorrelationKey());
    }
    data.name("timeToLive").raw(value.getTimeToLive());
    data.name("tenantId").string(value.getTenantId()).close('}');
    return event(record, record.getKey(), attributes, data, settings);
  }

  private static CloudEvent event(
      Record<?> record,
      long messageKey,
      Map<String, String> attributes,
      Json data,
      EventSettings settings) {
    return CloudEvent.of(
        settings,
        record.getPartitionId(),
        record.getPosition(),
        record.getTimestamp(),
        messageKey,
        attributes,
        data);
  }

  private static String beginning(String message) {
    return message.length() <= MAX_CHARS_OF_ERROR
        ? message
        : message.substring(0, MAX_CHARS_OF_ERROR) + "…";
  }
}
