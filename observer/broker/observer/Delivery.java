package observer;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** One attempt after the other to deliver an event. Not thread-safe. */
final class Delivery {
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);
  private static final Duration ANSWER_WITHIN = Duration.ofSeconds(30);

  private final EventSettings settings;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(CONNECT_WITHIN)
          .build();

  Delivery(EventSettings settings) {
    this.settings = settings;
  }

  Attempt deliver(CloudEvent event) throws InterruptedException {
    try {
      int status = post(event);
      return new Attempt(Answer.of(status), settings.url() + " answered " + status);
    } catch (IOException | RuntimeException | Error cause) {
      // An error too: this thread is the only one that sends, and without it nothing is ever settled.
      return new Attempt(Answer.AGAIN, settings.url() + ": " + cause);
    }
  }

  private int post(CloudEvent event) throws IOException, InterruptedException {
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
    HttpResponse<InputStream> response =
        client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    // Its body is not read: the time to answer does not bound it.
    response.body().close();
    return response.statusCode();
  }
}
