package observer;

import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.intent.Intent;
import io.camunda.zeebe.protocol.record.intent.MessageIntent;
import io.camunda.zeebe.protocol.record.intent.MessageSubscriptionIntent;
import io.camunda.zeebe.protocol.record.value.MessageRecordValue;
import io.camunda.zeebe.protocol.record.value.MessageStartEventSubscriptionRecordValue;
import io.camunda.zeebe.protocol.record.value.MessageSubscriptionRecordValue;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The messages of one partition that nobody has waited for so far.
 *
 * <p>The engine says of every message that it expired, also of those that were correlated: who wants
 * to know of the others has to remember. Bounded: beyond 10,000 a message is not noted, and its end
 * not told.
 */
final class Waiting {
  private static final int MAX_MESSAGES = 10_000;

  private final EventSettings settings;
  private final Map<Long, Published> messages = new HashMap<>();

  /** Of these somebody has been found who waits, and may have gone before it is done. */
  private final Set<Long> correlating = new HashSet<>();

  /** Goes on from what {@link #save} gave. */
  Waiting(EventSettings settings, byte[] saved) {
    this.settings = settings;
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(saved))) {
      while (in.available() > 0) {
        messages.put(in.readLong(), Published.read(in));
      }
    } catch (IOException cause) {
      throw new UncheckedIOException("what the engine kept for this exporter is broken", cause);
    }
  }

  /** Takes note of a record; the message that has expired by it, if nobody waited for it, else null. */
  Published note(Record<?> record) {
    long key = record.getKey();
    Intent intent = record.getIntent();
    if (record.getValue() instanceof MessageRecordValue message) {
      if (intent == MessageIntent.PUBLISHED && messages.size() < MAX_MESSAGES) {
        messages.put(key, Published.of(message, settings));
      } else if (intent == MessageIntent.EXPIRED) {
        Published expired = messages.remove(key);
        return correlating.remove(key) ? null : expired;
      }
    } else if (record.getValue() instanceof MessageSubscriptionRecordValue subscription) {
      subscribed(intent, subscription.getMessageKey());
    } else if (record.getValue() instanceof MessageStartEventSubscriptionRecordValue start) {
      // Those that were made or deleted name no message.
      messages.remove(start.getMessageKey());
    }
    return null;
  }

  private void subscribed(Intent intent, long message) {
    if (intent == MessageSubscriptionIntent.CORRELATING && messages.containsKey(message)) {
      correlating.add(message);
    } else if (intent == MessageSubscriptionIntent.CORRELATED) {
      messages.remove(message);
      correlating.remove(message);
    } else if (intent == MessageSubscriptionIntent.REJECTED) {
      correlating.remove(message);
    }
  }

  /**
   * All of it, for the engine to keep. {@code unsettled} are the messages that expired and whose
   * events are on their way: after a crash their records come again and must find them here.
   */
  byte[] save(Map<Long, Published> unsettled) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      write(out, messages);
      write(out, unsettled);
    } catch (IOException cause) {
      throw new UncheckedIOException("memory cannot be written to", cause);
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, Map<Long, Published> messages)
      throws IOException {
    for (Map.Entry<Long, Published> message : messages.entrySet()) {
      out.writeLong(message.getKey());
      message.getValue().write(out);
    }
  }
}
