package observer;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The arguments of {@link EventExporter}, checked; a wrong one keeps the engine from starting. */
record EventSettings(
    URI url,
    String source,
    Duration patience,
    boolean correlationKeys,
    String tokenFile) {
  private static final Set<String> KNOWN =
      Set.of("url", "engineName", "patienceSeconds", "correlationKeys", "tokenFile");

  /** A year. What is longer is a mistake, and some hundreds of years are more than nanoseconds tell. */
  private static final long MAX_SECONDS = 31_536_000;

  private static final int MAX_PORT = 65_535;

  static EventSettings of(Map<String, Object> arguments) {
    Set<String> unknown = new TreeSet<>(arguments.keySet());
    // The engine's environment gives names in lower case.
    unknown.removeIf(name -> KNOWN.stream().anyMatch(name::equalsIgnoreCase));
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException("unknown arguments " + unknown + "; known are " + new TreeSet<>(KNOWN));
    }
    return new EventSettings(
        url(text(arguments, "url", "")),
        "/zeebe/" + text(arguments, "engineName", "default"),
        Duration.ofSeconds(seconds("patienceSeconds", text(arguments, "patienceSeconds", "3600"))),
        bool("correlationKeys", text(arguments, "correlationKeys", "false")),
        text(arguments, "tokenFile", ""));
  }

  private static URI url(String value) {
    try {
      URI url = new URI(value);
      boolean isHttp = "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
      // A name and password would be written to the log with it, and are sent to no Broker.
      if (isHttp && url.getHost() != null && url.getPort() <= MAX_PORT && url.getUserInfo() == null) {
        return url;
      }
    } catch (URISyntaxException cause) {
      // Said below.
    }
    throw wrong("url", value.replaceFirst("//.*@", "//...@"), "the http or https address of a Broker");
  }

  private static long seconds(String name, String value) {
    try {
      long seconds = Long.parseLong(value);
      if (seconds >= 1 && seconds <= MAX_SECONDS) {
        return seconds;
      }
    } catch (NumberFormatException cause) {
      // Said below.
    }
    throw wrong(name, value, "a whole number of seconds from 1 to " + MAX_SECONDS);
  }

  private static boolean bool(String name, String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw wrong(name, value, "true or false");
    };
  }

  private static IllegalArgumentException wrong(String name, String value, String wanted) {
    return new IllegalArgumentException("`" + name + "` must be " + wanted + ", not `" + value + "`");
  }

  private static String text(Map<String, Object> arguments, String name, String otherwise) {
    for (Map.Entry<String, Object> argument : arguments.entrySet()) {
      if (argument.getKey().equalsIgnoreCase(name) && argument.getValue() != null) {
        return String.valueOf(argument.getValue());
      }
    }
    return otherwise;
  }
}
