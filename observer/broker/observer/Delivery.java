package observer;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Attempts to deliver events, beside each other. */
final class Delivery {
  private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

  /**
   * As long as the bridge waits: Knative's in-memory Broker answers after all retries of its Triggers, and
   * what is posted again meanwhile is a copy for each of them.
   */
  private static final Duration ANSWER_WITHIN = Duration.ofMinutes(10);

  /** Beyond what the client itself allows for, whose clock stops with it. */
  private static final Duration OVER_AFTER = ANSWER_WITHIN.plusMinutes(1);

  /**
   * After so many attempts in a row that it began and that broke off, the client is replaced: one whose
   * thread has ended, be it for want of memory, never sends again. But not often, since the old one has
   * a thread until it is collected.
   */
  private static final int RENEW_AFTER = 16;

  private static final long RENEW_EVERY_NANOS = 600_000_000_000L;

  private final EventSettings settings;
  private final Set<CompletableFuture<?>> inFlight = ConcurrentHashMap.newKeySet();
  private final AtomicInteger brokenOff = new AtomicInteger(); // in a row
  private long renewedAt = System.nanoTime() - RENEW_EVERY_NANOS;
  private volatile HttpClient client = client();

  Delivery(EventSettings settings) {
    this.settings = settings;
  }

  private static HttpClient client() {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(HttpClient.Redirect.NEVER)
        .connectTimeout(CONNECT_WITHIN)
        .build();
  }

  /** Never waits for the Broker. What comes of it is never a failure of the future. */
  CompletableFuture<Attempt> deliver(CloudEvent event) {
    try {
      CompletableFuture<HttpResponse<InputStream>> sent =
          client.sendAsync(request(event), HttpResponse.BodyHandlers.ofInputStream());
      inFlight.add(sent);
      return sent.thenApply(this::answered)
          .orTimeout(OVER_AFTER.toSeconds(), TimeUnit.SECONDS)
          .exceptionally(this::brokeOff)
          .whenComplete((attempt, none) -> end(sent));
    } catch (IOException | RuntimeException | Error cause) {
      // An error too: the thread that asks is the only one, and without it nothing is ever settled.
      return CompletableFuture.completedFuture(failed(cause));
    }
  }

  /** Cuts off all that is in flight. */
  void cancel() {
    inFlight.forEach(this::end);
  }

  private void end(CompletableFuture<?> sent) {
    inFlight.remove(sent);
    sent.cancel(true);
  }

  private HttpRequest request(CloudEvent event) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(settings.url())
            .timeout(ANSWER_WITHIN)
            .POST(HttpRequest.BodyPublishers.ofByteArray(event.data()));
    event.headers().forEach(request::header);
    if (!settings.tokenFile().isEmpty()) {
      request.header("authorization", "Bearer " + token());
    }
    return request.build();
  }

  /** Read each time: such a file is replaced before its token ends. */
  private String token() throws IOException {
    String token = Files.readString(Path.of(settings.tokenFile())).strip();
    if (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      // Of a header that it cannot send, the client tells what is in it.
      throw new IOException("what is in " + settings.tokenFile() + " is no token");
    }
    return token;
  }

  private Attempt answered(HttpResponse<InputStream> response) {
    try {
      // Its body is not read: the time to answer does not bound it.
      response.body().close();
    } catch (IOException cause) {
      // That it was answered stands.
    }
    brokenOff.set(0);
    int status = response.statusCode();
    return new Attempt(Answer.of(status), settings.url() + " answered " + status);
  }

  private Attempt brokeOff(Throwable thrown) {
    Throwable cause = thrown instanceof CompletionException ? thrown.getCause() : thrown;
    // No connection, or no answer, is likely the Broker's; what the client itself makes an end of is not.
    boolean isOfTheBroker = cause instanceof ConnectException || cause instanceof HttpTimeoutException;
    if (!isOfTheBroker && brokenOff.incrementAndGet() >= RENEW_AFTER) {
      renew();
    }
    return failed(cause);
  }

  private Attempt failed(Throwable cause) {
    boolean isLate =
        cause instanceof TimeoutException
            || cause instanceof HttpTimeoutException && !(cause instanceof HttpConnectTimeoutException);
    return new Attempt(isLate ? Answer.NONE : Answer.AGAIN, settings.url() + ": " + cause);
  }

  private synchronized void renew() {
    long now = System.nanoTime();
    if (now - renewedAt < RENEW_EVERY_NANOS) {
      return;
    }
    try {
      client = client();
      renewedAt = now;
      brokenOff.set(0);
    } catch (RuntimeException | Error cause) {
      // For want of files or memory: the old one may do, and there is a next time.
    }
  }
}
