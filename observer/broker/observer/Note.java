package observer;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.TreeSet;

/** A message that nobody has taken so far: who is to take it, and whether its time is over. */
final class Note {
  private final Published message;

  /**
   * The processes that it is being handed to. A message goes to one instance of a process at a time, and
   * the record of a refusal names the process alone.
   */
  private final Set<String> takers = new TreeSet<>();

  private boolean expired;

  Note(Published message) {
    this.message = message;
  }

  Published message() {
    return message;
  }

  void handTo(String process) {
    takers.add(Published.beginning(process));
  }

  void refusedBy(String process) {
    takers.remove(Published.beginning(process));
  }

  void expire() {
    expired = true;
  }

  /** Whether nobody will take it any more. */
  boolean isLost() {
    return expired && takers.isEmpty();
  }

  /** How many bytes {@link #write} writes. */
  int bytes() {
    DataOutputStream counted = new DataOutputStream(OutputStream.nullOutputStream());
    try {
      write(counted);
    } catch (IOException cause) {
      throw new UncheckedIOException("nothing can be written to", cause);
    }
    return counted.size();
  }

  static Note read(DataInputStream in) throws IOException {
    Note note = new Note(Published.read(in));
    note.expired = in.readBoolean();
    for (int left = in.readUnsignedShort(); left > 0; left--) {
      note.takers.add(in.readUTF());
    }
    return note;
  }

  void write(DataOutputStream out) throws IOException {
    message.write(out);
    out.writeBoolean(expired);
    out.writeShort(takers.size());
    for (String taker : takers) {
      out.writeUTF(taker);
    }
  }
}
