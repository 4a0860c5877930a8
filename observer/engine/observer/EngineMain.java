package observer;

import io.grpc.ServerRegistry;
import io.camunda.zeebe.process.test.api.ZeebeTestEngine;
import io.camunda.zeebe.process.test.engine.EngineFactory;
import io.camunda.zeebe.protocol.record.Record;
import io.camunda.zeebe.protocol.record.RecordType;

/** Runs the in-memory engine behind its gRPC gateway. Arguments: gRPC port, HTTP port, origins of pages. */
public final class EngineMain {
  private EngineMain() {}

  public static void main(String[] args) throws Exception {
    ServerRegistry.getDefaultRegistry().register(new LoopbackServers());
    ZeebeTestEngine engine = EngineFactory.create(Integer.parseInt(args[0]));
    engine.start();
    Server server = new Server(Integer.parseInt(args[1]), args[2]);
    server.beforeAnswer(new Reader(engine, server)::readOn);
    Runtime.getRuntime().addShutdownHook(new Thread(server::stop));
    Thread.currentThread().join();
  }

  /** This engine tells nobody: it keeps its records, and whoever is asked reads on where it was. */
  private static final class Reader {
    private final ZeebeTestEngine engine;
    private final Records records;
    private final View view = new View();
    private final Counts counts = new Counts();
    private long read;

    Reader(ZeebeTestEngine engine, Server server) {
      this.engine = engine;
      this.records = server.records;
      server.views.add(view);
      server.counts.add(counts);
    }

    synchronized void readOn() {
      for (Record<?> record : engine.getRecordStreamSource().getRecords()) {
        if (record.getPosition() > read) {
          read = record.getPosition();
          if (record.getRecordType() == RecordType.EVENT) {
            records.add(record.toJson());
            view.apply(record);
            counts.apply(record);
          }
        }
      }
    }
  }
}
