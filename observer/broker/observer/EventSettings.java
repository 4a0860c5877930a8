package observer;

import java.net.URI;
import java.time.Duration;
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

  static EventSettings of(Map<String, Object> arguments) {
    Set<String> unknown = new TreeSet<>(arguments.keySet());
    // The engine's environment gives names in lower case.
    unknown.removeIf(name -> KNOWN.stream().anyMatch(name::equalsIgnoreCase));
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException("unknown arguments " + unknown + "; known are " + KNOWN);
    }
    String url = text(arguments, "url", "");
    if (!url.startsWith("http://") && !url.startsWith("https://")) {
      throw new IllegalArgumentException(
          "`url` must be the http or https address of a Broker, not `" + url + "`");
    }
    long patience = Long.parseLong(text(arguments, "patienceSeconds", "3600"));
    if (patience < 1) {
      throw new IllegalArgumentException("`patienceSeconds` must be 1 or more");
    }
    return new EventSettings(
        URI.create(url),
        "/zeebe/" + text(arguments, "engineName", "default"),
        Duration.ofSeconds(patience),
        Boolean.parseBoolean(text(arguments, "correlationKeys", "false")),
        text(arguments, "tokenFile", ""));
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
