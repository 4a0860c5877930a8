package observer;

import io.camunda.zeebe.exporter.api.context.Context;
import io.camunda.zeebe.protocol.record.RecordType;
import io.camunda.zeebe.protocol.record.ValueType;
import java.util.Set;

/** Which records an exporter is given: what happened, not what was asked for, to values of these types. */
record EventsOf(Set<ValueType> types) implements Context.RecordFilter {
  @Override
  public boolean acceptType(RecordType type) {
    return type == RecordType.EVENT;
  }

  @Override
  public boolean acceptValue(ValueType type) {
    return types.contains(type);
  }
}
