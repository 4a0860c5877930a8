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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The messages of one partition that nobody has taken so far.
 *
 * <p>The engine says of every message that it expired, also of those that were correlated: who wants
 * to know of the others has to remember. A message is handed over in two steps, between which the
 * instance that waited may end, or the message expire: only the second says that it was taken.
 *
 * <p>Bounded by what it takes to save them, as that is one value in the engine's state, written whole and
 * sent to the partition's followers: beyond 1 MiB the oldest is forgotten, its end not told, and
 * counted.
 */
final class Waiting {
  private static final int MAX_BYTES = 1 << 20;

  /** Of what is saved. Another one was saved by another version. */
  private static final int FORM = 1;

  private final EventSettings settings;
  private final Forgotten forgotten;
  private final Map<Long, Note> notes = new LinkedHashMap<>(); // the oldest first
  private int bytes; // of them, saved
  private byte[] saved; // null where they changed since

  Waiting(EventSettings settings, Forgotten forgotten) {
    this.settings = settings;
    this.forgotten = forgotten;
  }

  /** Takes note of a record; the message that by it is lost, with nobody who took it, else null. */
  Published note(Record<?> record) {
    if (record.getValue() instanceof MessageRecordValue message) {
      if (record.getIntent() == MessageIntent.PUBLISHED) {
        put(new Note(Published.of(record.getKey(), message, settings)));
      } else if (record.getIntent() == MessageIntent.EXPIRED) {
        return changed(record.getKey(), Note::expire);
      }
    } else if (record.getValue() instanceof MessageSubscriptionRecordValue subscription) {
      return subscribed(record.getIntent(), subscription);
    } else if (record.getValue() instanceof MessageStartEventSubscriptionRecordValue start) {
      // Those that were made or deleted name no message.
      remove(start.getMessageKey());
    }
    return null;
  }

  private Published subscribed(Intent intent, MessageSubscriptionRecordValue subscription) {
    long message = subscription.getMessageKey();
    String process = subscription.getBpmnProcessId();
    if (intent == MessageSubscriptionIntent.CORRELATING) {
      return changed(message, note -> note.handTo(process));
    } else if (intent == MessageSubscriptionIntent.REJECTED) {
      return changed(message, note -> note.refusedBy(process));
    } else if (intent == MessageSubscriptionIntent.CORRELATED) {
      remove(message);
    }
    return null;
  }

  private Published changed(long key, Consumer<Note> change) {
    Note note = notes.get(key);
    if (note == null) {
      return null;
    }
    saved = null;
    bytes -= note.bytes();
    change.accept(note);
    bytes += note.bytes();
    if (!note.isLost()) {
      forgetOldest();
      return null;
    }
    remove(key);
    return note.message();
  }

  private void put(Note note) {
    saved = null;
    remove(note.message().key());
    notes.put(note.message().key(), note);
    bytes += note.bytes();
    forgetOldest();
  }

  private void forgetOldest() {
    while (bytes > MAX_BYTES) {
      long oldest = notes.keySet().iterator().next();
      remove(oldest);
      forgotten.add(oldest, "more than " + MAX_BYTES + " bytes of such wait");
    }
  }

  private void remove(long key) {
    Note note = notes.remove(key);
    if (note != null) {
      saved = null;
      bytes -= note.bytes();
    }
  }

  /** All of it, for the engine to keep; the same array as before where nothing changed. */
  byte[] save() {
    if (saved == null) {
      saved = written();
    }
    return saved;
  }

  private byte[] written() {
    ByteArrayOutputStream all = new ByteArrayOutputStream(bytes + 1);
    try (DataOutputStream out = new DataOutputStream(all)) {
      out.writeByte(FORM);
      for (Note note : notes.values()) {
        note.write(out);
      }
    } catch (IOException cause) {
      throw new UncheckedIOException("memory cannot be written to", cause);
    }
    return all.toByteArray();
  }

  /** Goes on from what {@link #save} gave. */
  void load(byte[] saved) throws IOException {
    if (saved.length == 0) {
      return;
    }
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(saved))) {
      int form = in.readByte();
      if (form != FORM) {
        throw new IOException("it has form " + form + ", known is " + FORM);
      }
      while (in.available() > 0) {
        put(Note.read(in));
      }
    }
  }
}
