package observer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Answers questions about the engine, on loopback only.
 *
 * <ul>
 *   <li>{@code GET /instances?key=&process=&state=&variable=&value=}: a JSON array, ended ones first
 *   <li>{@code GET /counts?process=}: how many instances there are and were
 *   <li>{@code GET /records?since=&limit=}: the last records, numbered
 *   <li>{@code GET /ready}: 200
 * </ul>
 */
final class Server {
  private static final int MAX_RECORDS = 1_000;

  final Records records = new Records();
  final List<View> views = new CopyOnWriteArrayList<>();
  final List<Counts> counts = new CopyOnWriteArrayList<>();
  private final HttpServer http;
  private final Set<String> origins;
  private volatile Runnable beforeAnswer = () -> {};

  /** {@code origins}: whose pages may read the answers, separated by commas; of none where it is empty. */
  Server(int port, String origins) throws IOException {
    this.origins = Set.copyOf(List.of(origins.split(",")));
    http = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 0);
    answer("/instances", this::instances);
    answer("/counts", this::counts);
    answer("/records", this::records);
    answer("/ready", (json, query) -> json.raw("true"));
    http.start();
  }

  /** Runs this before each answer: for an engine that is asked rather than told. */
  void beforeAnswer(Runnable ask) {
    beforeAnswer = ask;
  }

  void stop() {
    http.stop(0);
  }

  private interface Answer {
    void write(Json json, Map<String, String> query);
  }

  private void answer(String path, Answer answer) {
    http.createContext(path, exchange -> respond(exchange, answer));
  }

  private void instances(Json json, Map<String, String> query) {
    String variable = query.get("variable");
    String value = query.get("value");
    if ((variable == null) != (value == null)) {
      throw new IllegalArgumentException("`variable` and `value` go together");
    }
    String wanted = value == null ? null : new Json().string(value).toString();
    json.open('[');
    for (View view : views) {
      view.write(
          json, query.get("key"), query.get("process"), query.get("state"), variable, wanted);
    }
    json.close(']');
  }

  private void counts(Json json, Map<String, String> query) {
    String process = query.get("process");
    if (process == null) {
      throw new IllegalArgumentException("`process` is missing: the id of a process");
    }
    Counts.OfProcess sum = new Counts.OfProcess();
    for (Counts of : counts) {
      of.addTo(sum, process);
    }
    sum.write(json);
  }

  private void records(Json json, Map<String, String> query) {
    long since = Long.parseLong(query.getOrDefault("since", "0"));
    long limit = Long.parseLong(query.getOrDefault("limit", Integer.toString(MAX_RECORDS)));
    records.write(json, since, (int) Math.max(0, Math.min(limit, MAX_RECORDS)));
  }

  private void respond(HttpExchange exchange, Answer answer) throws IOException {
    int status = 200;
    String body;
    try {
      if (exchange.getRequestMethod().equals("GET")) {
        beforeAnswer.run();
        Json json = new Json();
        answer.write(json, query(exchange));
        body = json.toString();
      } else {
        status = 405;
        body = new Json().string("only GET is answered").toString();
      }
    } catch (NumberFormatException cause) {
      status = 400;
      body = new Json().string("not a number: " + cause.getMessage()).toString();
    } catch (IllegalArgumentException cause) {
      status = 400;
      body = new Json().string(cause.getMessage()).toString();
    } catch (RuntimeException cause) {
      status = 500;
      body = new Json().string(cause.toString()).toString();
    }
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    String origin = exchange.getRequestHeaders().getFirst("Origin");
    exchange.getResponseHeaders().add("Vary", "Origin");
    if (origin != null && origins.contains(origin)) {
      exchange.getResponseHeaders().add("Access-Control-Allow-Origin", origin);
    }
    try (exchange) {
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private static Map<String, String> query(HttpExchange exchange) {
    Map<String, String> query = new HashMap<>();
    String raw = exchange.getRequestURI().getRawQuery();
    for (String pair : raw == null ? new String[0] : raw.split("&")) {
      String[] parts = pair.split("=", 2);
      if (parts.length == 2) {
        query.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
      }
    }
    return query;
  }
}
