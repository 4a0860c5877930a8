package observer;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;

/** One attempt after the other to deliver an event. Not thread-safe. */
final class Delivery {
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);
  private static final Duration ANSWER_WITHIN = Duration.ofSeconds(30);

  /** Answers about the event, which stay as they are. All else may be otherwise later. */
  private static final Set<Integer> HOPELESS = Set.of(400, 413, 415, 422);

  private final EventSettings settings;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT_WITHIN)
          .build();
  private boolean hopeless;

  Delivery(EventSettings settings) {
    this.settings = settings;
  }

  /** Null where the event was accepted, else why not. */
  String deliver(CloudEvent event) throws InterruptedException {
    hopeless = false;
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(settings.url())
              .timeout(ANSWER_WITHIN)
              .POST(HttpRequest.BodyPublishers.ofByteArray(event.data()));
      event.headers().forEach(request::header);
      if (!settings.tokenFile().isEmpty()) {
        // Read each time: such a file is replaced before its token ends.
        String token = Files.readString(Path.of(settings.tokenFile())).strip();
        request.header("authorization", "Bearer " + token);
      }
      int status =
          client.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
      hopeless = HOPELESS.contains(status);
      return status / 100 == 2 ? null : settings.url() + " answered " + status;
    } catch (IOException | RuntimeException cause) {
      return settings.url() + ": " + cause;
    }
  }

  /** Whether the last event will never be accepted. */
  boolean isHopeless() {
    return hopeless;
  }
}
