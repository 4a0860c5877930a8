package observer;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.file.FileSystemException;
import javax.net.ssl.SSLException;

/**
 * The table: how an attempt went -> what that says of the event.
 *
 * <p>A status alone seldom tells an event's own trouble from everybody's: 404 may be a Broker that is
 * gone, 403 a policy that is about this type. Whether others are accepted meanwhile does: see {@link
 * Turns}.
 */
enum Answer {
  /** 2xx. */
  ACCEPTED,

  /** No connection, no name, no TLS, no token to send with: nothing that the event could be the cause of. */
  AWAY,

  /** 429, 503: the Broker asks to come back later. That others may come before it says nothing. */
  BUSY,

  /** All else, and no answer: it may be the event, if others are accepted. */
  FAILING,

  /** 400, 413, 414, 415, 422, 431: about the event, and it stays so. */
  REFUSED;

  static Answer of(int status) {
    return switch (status) {
      case 429, 503 -> BUSY;
      case 400, 413, 414, 415, 422, 431 -> REFUSED;
      default -> status / 100 == 2 ? ACCEPTED : FAILING;
    };
  }

  /** Of an attempt that was not answered. */
  static Answer of(IOException cause) {
    boolean away =
        cause instanceof ConnectException
            || cause instanceof HttpConnectTimeoutException
            || cause instanceof NoRouteToHostException
            || cause instanceof UnknownHostException
            || cause instanceof SSLException
            || cause instanceof FileSystemException;
    return away ? AWAY : FAILING;
  }
}
