package observer;

import io.camunda.zeebe.exporter.api.Exporter;
import io.camunda.zeebe.exporter.api.context.Context;
import io.camunda.zeebe.exporter.api.context.Controller;
import io.camunda.zeebe.exporter.api.context.ScheduledTask;
import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.ValueType;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;

/**
 * Sends events to a Broker: incidents, and messages that nobody waited for. The engine loads it by
 * this name; README.md has its arguments.
 *
 * <p>The engine keeps its log from the first record on that is not settled, so nothing is waited for
 * without bounds: see {@link Outbox}. What is remembered of messages is saved as it was after a record,
 * and given to the engine to keep when all up to that record is settled: see {@link SavedStates}. After a crash it tells what
 * came since once more: the same follows from it, and the events have the same ids as before.
 */
public final class EventExporter implements Exporter {
  private static final Duration SETTLE_EVERY = Duration.ofSeconds(5);

  private static final Set<ValueType> TYPES =
      EnumSet.of(
          ValueType.INCIDENT,
          ValueType.MESSAGE,
          ValueType.MESSAGE_SUBSCRIPTION,
          ValueType.MESSAGE_START_EVENT_SUBSCRIPTION);

  private EventSettings settings;
  private Logger log;
  private int partition;
  private Made made;
  private Forgotten forgotten;
  private Waiting waiting;
  private SavedStates saved;
  private Dropped dropped;
  private Outbox outbox;
  private Controller controller;
  private ScheduledTask settling;
  private long seen; // position of the last record
  private long settled;

  @Override
  public void configure(Context context) {
    // Also called to check the arguments, before there is a partition.
    Map<String, Object> arguments = context.getConfiguration().getArguments();
    settings = EventSettings.of(arguments == null ? Map.of() : arguments);
    log = context.getLogger();
    partition = context.getPartitionId();
    context.setFilter(new EventsOf(TYPES));
  }

  @Override
  public void open(Controller controller) {
    this.controller = controller;
    seen = settled = controller.getLastExportedRecordPosition();
    made = new Made(partition);
    forgotten = new Forgotten(partition, log);
    waiting = new Waiting(settings, forgotten);
    saved = new SavedStates(Turns.longest(settings.patience()));
    controller.readMetadata().ifPresent(this::load);
    dropped = new Dropped(partition, log);
    outbox = new Outbox(settings, partition, dropped, log);
    log.info("events of partition {} go to {}", partition, settings.url());
    scheduleSettling();
  }

  @Override
  public void close() {
    if (settling != null) {
      settling.cancel();
    }
    if (outbox != null) {
      outbox.close();
    }
  }

  @Override
  public void export(Record<?> record) {
    try {
      Published expired = waiting.note(record);
      CloudEvent event =
          expired == null
              ? Happenings.incident(record, settings)
              : Happenings.expired(record, expired, settings);
      if (event != null) {
        made.add(event);
        outbox.add(event, record.getTimestamp());
      }
    } catch (RuntimeException | LinkageError cause) {
      // Thrown on, it would be told again for ever, and hold up all other exporters with it. A jar that was
      // made against another version of the engine does not link.
      dropped.addUnmade(record.getPosition(), cause);
    }
    seen = record.getPosition();
  }

  private void scheduleSettling() {
    settling = controller.scheduleCancellableTask(SETTLE_EVERY, this::settle);
  }

  private void load(byte[] metadata) {
    try {
      waiting.load(metadata);
    } catch (IOException cause) {
      // Without it the exporter goes on, and incidents are told of; not opened, it would tell nothing.
      log.error("messages that were published before are forgotten: what was kept is unreadable", cause);
      waiting = new Waiting(settings, forgotten);
    }
  }

  private void settle() {
    try {
      settleDone();
    } catch (RuntimeException | LinkageError cause) {
      // Once is no harm; what follows takes it along.
      log.error("what is done with could not be settled, which is tried again", cause);
    } finally {
      scheduleSettling();
    }
  }

  private void settleDone() {
    long now = System.nanoTime();
    if (seen > settled && saved.isTimeFor(seen, now)) {
      saved.add(seen, waiting.save(), now);
    }
    SavedStates.State done = saved.takeDone(outbox::isSettledUpTo);
    if (done != null) {
      controller.updateLastExportedRecordPosition(done.position(), done.bytes());
      settled = done.position();
    }
  }
}
