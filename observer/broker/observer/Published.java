package observer;

import io.camunda.zeebe.protocol.record.value.MessageRecordValue;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/**
 * What is remembered of a message: the record of its end has its key alone. Texts are cut, so that
 * many take a bounded amount of memory.
 */
record Published(
    long key, String name, String messageId, String correlationKey, long timeToLive, String tenantId) {
  private static final int MAX_CHARS = 256;

  static Published of(long key, MessageRecordValue value, EventSettings settings) {
    return new Published(
        key,
        beginning(value.getName()),
        beginning(value.getMessageId()),
        settings.correlationKeys() ? beginning(value.getCorrelationKey()) : "",
        value.getTimeToLive(),
        beginning(value.getTenantId()));
  }

  static Published read(DataInputStream in) throws IOException {
    return new Published(
        in.readLong(), in.readUTF(), in.readUTF(), in.readUTF(), in.readLong(), in.readUTF());
  }

  void write(DataOutputStream out) throws IOException {
    out.writeLong(key);
    out.writeUTF(name);
    out.writeUTF(messageId);
    out.writeUTF(correlationKey);
    out.writeLong(timeToLive);
    out.writeUTF(tenantId);
  }

  static String beginning(String text) {
    return text.length() <= MAX_CHARS ? text : text.substring(0, MAX_CHARS);
  }
}
