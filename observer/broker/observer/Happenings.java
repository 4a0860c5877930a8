package observer;

import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.intent.IncidentIntent;
import io.camunda.zeebe.protocol.record.value.IncidentRecordValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A record -> the event that tells of it. Variables are never part of one. */
final class Happenings {
  private static final String CREATED = "io.camunda.zeebe.incident.created";
  private static final String RESOLVED = "io.camunda.zeebe.incident.resolved";
  private static final String EXPIRED = "io.camunda.zeebe.message.expired";

  /** Of all events. */
  static final List<String> TYPES = List.of(CREATED, RESOLVED, EXPIRED);

  private static final int MAX_CHARS_OF_ERROR = 1_000;

  private Happenings() {}

  /** Null where a record does not tell of an incident that was created or resolved. */
  static CloudEvent incident(Record<?> record, EventSettings settings) {
    if (!(record.getValue() instanceof IncidentRecordValue value)) {
      return null;
    }
    String type;
    if (record.getIntent() == IncidentIntent.CREATED) {
      type = CREATED;
    } else if (record.getIntent() == IncidentIntent.RESOLVED) {
      type = RESOLVED;
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
    return event(record, record.getKey(), attributes, data, settings);
  }

  /** {@code record} is the one by which it was clear that nobody takes the message. */
  static CloudEvent expired(Record<?> record, Published message, EventSettings settings) {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("type", EXPIRED);
    attributes.put("subject", Long.toString(message.key()));
    Json data = new Json().open('{');
    data.name("messageKey").key(message.key());
    data.name("name").string(message.name());
    data.name("messageId").string(message.messageId());
    if (settings.correlationKeys()) {
      data.name("correlationKey").string(message.correlationKey());
    }
    data.name("timeToLive").raw(message.timeToLive());
    data.name("tenantId").string(message.tenantId()).close('}');
    return event(record, message.key(), attributes, data, settings);
  }

  private static CloudEvent event(
      Record<?> record,
      long key,
      Map<String, String> attributes,
      Json data,
      EventSettings settings) {
    return CloudEvent.of(
        settings,
        record.getPartitionId(),
        record.getPosition(),
        record.getTimestamp(),
        key,
        attributes,
        data);
  }

  private static String beginning(String message) {
    return message.length() <= MAX_CHARS_OF_ERROR
        ? message
        : message.substring(0, MAX_CHARS_OF_ERROR) + "…";
  }
}
