package observer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** One process instance as the records have told it so far. Not thread-safe; {@link View} locks. */
final class Instance {
  private static final int MAX_VARIABLES = 100;
  private static final int MAX_WAITING_AT = 100;
  private static final int MAX_COMPLETED = 200;
  private static final int MAX_END_EVENTS = 20;
  private static final int MAX_INCIDENTS = 20;

  enum State {
    ACTIVE,
    COMPLETED,
    TERMINATED
  }

  record Element(String id, String type) {}

  /** {@code jobKey} is not positive where no job is concerned. */
  record Incident(
      String elementId, long elementInstanceKey, long jobKey, String errorType, String message) {}

  final long key;

  /** Where the log must be read again from after a restart, to know this instance. */
  final long firstPosition;

  private final long startedAt;
  private String bpmnProcessId = "";
  private int version;
  private State state = State.ACTIVE;
  private long endedAt;
  private long chars;
  private final Map<Long, Element> waitingAt = new LinkedHashMap<>();
  private final Set<String> completed = new LinkedHashSet<>();
  private final List<String> endEvents = new ArrayList<>();
  private final Map<String, String> variables = new TreeMap<>();
  private final Map<Long, Incident> incidents = new LinkedHashMap<>();

  Instance(long key, long firstPosition, long startedAt) {
    this.key = key;
    this.firstPosition = firstPosition;
    this.startedAt = startedAt;
  }

  void isOf(String bpmnProcessId, int version) {
    this.bpmnProcessId = bpmnProcessId;
    this.version = version;
  }

  void entered(long elementInstanceKey, String elementId, String type) {
    if (waitingAt.size() < MAX_WAITING_AT) {
      waitingAt.put(elementInstanceKey, new Element(elementId, type));
    }
  }

  void left(long elementInstanceKey) {
    waitingAt.remove(elementInstanceKey);
  }

  /** It has passed an element, for the first time or again. */
  void completed(String elementId) {
    if (completed.size() < MAX_COMPLETED) {
      completed.add(elementId.intern()); // the same few for all instances of a process
    }
  }

  /** It came to an end event; which one tells what became of it. */
  void reached(String endEventId) {
    if (endEvents.size() < MAX_END_EVENTS) {
      endEvents.add(endEventId);
    }
  }

  void ended(State how, long at) {
    state = how;
    endedAt = at;
    waitingAt.clear();
  }

  /** Takes a variable's value; one longer than {@code room} characters is shown by its size only. */
  void variable(String name, String json, long room) {
    if (variables.size() < MAX_VARIABLES || variables.containsKey(name)) {
      String shown = json.length() <= room ? json : "\"(" + json.length() + " characters)\"";
      String before = variables.put(name, shown);
      chars += shown.length() - (before == null ? 0 : before.length());
    }
  }

  /** The value of a variable, as it is shown; null without it. */
  String valueOf(String name) {
    return variables.get(name);
  }

  /** What its variables take of the room there is for all. */
  long chars() {
    return chars;
  }

  void incident(long incidentKey, Incident incident) {
    if (incidents.size() < MAX_INCIDENTS) {
      incidents.put(incidentKey, incident);
    }
  }

  void resolved(long incidentKey) {
    incidents.remove(incidentKey);
  }

  /** Whether it is asked for; null asks for any. */
  boolean matches(String wantedKey, String wantedProcess, String wantedState) {
    return (wantedKey == null || wantedKey.equals(Long.toString(key)))
        && (wantedProcess == null || wantedProcess.equals(bpmnProcessId))
        && (wantedState == null || wantedState.equalsIgnoreCase(state.name()));
  }

  void write(Json json) {
    json.open('{');
    json.name("processInstanceKey").key(key);
    json.name("bpmnProcessId").string(bpmnProcessId);
    json.name("version").raw(version);
    json.name("state").string(state.name());
    json.name("startedAt").raw(startedAt);
    json.name("endedAt").raw(endedAt == 0 ? "null" : endedAt);
    json.name("waitingAt").open('[');
    for (Element element : waitingAt.values()) {
      json.open('{');
      json.name("elementId").string(element.id()).name("type").string(element.type());
      json.close('}');
    }
    json.close(']');
    json.name("completed").open('[');
    completed.forEach(json::string);
    json.close(']');
    json.name("endEvents").open('[');
    endEvents.forEach(json::string);
    json.close(']');
    json.name("variables").open('{');
    variables.forEach((name, value) -> json.name(name).raw(value));
    json.close('}');
    json.name("incidents").open('[');
    incidents.forEach(
        (incidentKey, incident) -> {
          json.open('{');
          json.name("incidentKey").key(incidentKey);
          json.name("elementId").string(incident.elementId());
          json.name("elementInstanceKey").key(incident.elementInstanceKey());
          json.name("jobKey");
          if (incident.jobKey() > 0) {
            json.key(incident.jobKey());
          } else {
            json.raw("null");
          }
          json.name("errorType").string(incident.errorType());
          json.name("message").string(incident.message());
          json.close('}');
        });
    json.close(']');
    json.close('}');
  }
}
