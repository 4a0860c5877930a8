package observer;

import io.camunda.zeebe.exporter.api.Exporter;
import io.camunda.zeebe.exporter.api.context.Context;
import io.camunda.zeebe.exporter.api.context.Controller;
import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.ValueType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.EnumSet;
import java.util.Map;

/**
 * Shows a broker's process instances over HTTP. The broker loads it by this name; its arguments are
 * {@code port} and, for pages that may read it, {@code origins}.
 */
public final class BrokerExporter implements Exporter {
  /** One for all partitions: the broker makes one exporter for each, and the port is one. */
  private static Server server;

  private static int users;

  /** After how many records the engine is given the counts to keep; they are counted on from there. */
  private static final int SAVE_EVERY = 100;

  private final View view = new View();
  private final Counts counts = new Counts();
  private byte[] saved = {};
  private long savedUpTo;
  private int unsaved = SAVE_EVERY;
  private int port;
  private String origins;
  private Controller controller;

  @Override
  public void configure(Context context) {
    Map<String, Object> arguments = context.getConfiguration().getArguments();
    port = Integer.parseInt(String.valueOf(arguments.get("port")));
    origins = String.valueOf(arguments.getOrDefault("origins", ""));
    context.setFilter(new EventsOf(EnumSet.allOf(ValueType.class)));
  }

  @Override
  public void open(Controller controller) {
    this.controller = controller;
    controller.readMetadata().ifPresent(counts::load);
    synchronized (BrokerExporter.class) {
      if (server == null) {
        try {
          server = new Server(port, origins);
        } catch (IOException cause) {
          throw new UncheckedIOException("observer cannot listen on port " + port, cause);
        }
      }
      users++;
      server.views.add(view);
      server.counts.add(counts);
    }
  }

  @Override
  public void close() {
    synchronized (BrokerExporter.class) {
      if (controller != null && server != null) {
        server.views.remove(view);
        server.counts.remove(counts);
        if (--users == 0) {
          server.stop();
          server = null;
        }
      }
      controller = null;
    }
  }

  @Override
  public void export(Record<?> record) {
    server.records.add(record.toJson());
    view.apply(record);
    counts.apply(record);
    if (++unsaved >= SAVE_EVERY) {
      unsaved = 0;
      saved = counts.save();
      savedUpTo = record.getPosition();
    }
    // What was not counted in what is kept has to be told again after a restart.
    controller.updateLastExportedRecordPosition(view.dispensable(savedUpTo), saved);
  }
}
