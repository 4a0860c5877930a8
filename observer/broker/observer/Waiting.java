package observer;

import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.intent.Intent;
import io.camunda.zeebe.protocol.record.intent.MessageIntent;
import io.camunda.zeebe.protocol.record.intent.MessageSubscriptionIntent;
import io.camunda.zeebe.protocol.record.value.MessageStartEventSubscriptionRecordValue;
import io.camunda.zeebe.protocol.record.value.MessageSubscriptionRecordValue;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * The messages of one partition that nobody has waited for so far.
 *
 * <p>The engine says of every message that it expired, also of those that were correlated: who wants
 * to know of the others has to remember. Bounded: beyond 100,000 a message is not noted, and its end
 * not reported.
 */
final class Waiting {
  private static final int MAX_MESSAGES = 100_000;

  private final Set<Long> keys = new HashSet<>();

  /** Goes on from what {@link #save} gave. */
  Waiting(byte[] saved) {
    ByteBuffer in = ByteBuffer.wrap(saved);
    while (in.remaining() >= Long.BYTES) {
      keys.add(in.getLong());
    }
  }

  /** Takes note of a record; whether it is one that an event may tell of. */
  boolean isReported(Record<?> record) {
    Intent intent = record.getIntent();
    switch (record.getValueType()) {
      case MESSAGE -> {
        if (intent == MessageIntent.PUBLISHED && keys.size() < MAX_MESSAGES) {
          keys.add(record.getKey());
        }
        return intent == MessageIntent.EXPIRED && keys.remove(record.getKey());
      }
      case MESSAGE_SUBSCRIPTION -> {
        long message = ((MessageSubscriptionRecordValue) record.getValue()).getMessageKey();
        if (intent == MessageSubscriptionIntent.CORRELATING) {
          keys.remove(message);
        } else if (intent == MessageSubscriptionIntent.REJECTED) {
          keys.add(message); // whoever waited has gone meanwhile
        }
        return false;
      }
      case MESSAGE_START_EVENT_SUBSCRIPTION -> {
        // Those that were made or deleted name no message.
        keys.remove(
            ((MessageStartEventSubscriptionRecordValue) record.getValue()).getMessageKey());
        return false;
      }
      default -> {
        return true;
      }
    }
  }

  /**
   * All of it, for the engine to keep. {@code unsettled} are the messages that expired and whose
   * events are on their way: after a crash their records come again and must find them here.
   */
  byte[] save(Collection<Long> unsettled) {
    Set<Long> all = new HashSet<>(keys);
    all.addAll(unsettled);
    ByteBuffer out = ByteBuffer.allocate(all.size() * Long.BYTES);
    all.forEach(out::putLong);
    return out.array();
  }
}
