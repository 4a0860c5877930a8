package observer;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An event in binary mode, with the position of the record that it tells of, and the key of the incident
 * or message that it is about.
 */
record CloudEvent(long position, long key, Map<String, String> headers, byte[] data) {

  /** {@code attributes} beside those that every event has; those with no value are left out. */
  static CloudEvent of(
      EventSettings settings,
      int partition,
      long position,
      long timestamp,
      long key,
      Map<String, String> attributes,
      Json data) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("ce-specversion", "1.0");
    // The same record has the same id, however often it is told of.
    headers.put("ce-id", partition + "-" + position);
    headers.put("ce-source", encoded(settings.source()));
    headers.put("ce-time", Instant.ofEpochMilli(timestamp).toString());
    headers.put("content-type", "application/json");
    attributes.forEach(
        (name, value) -> {
          if (!value.isEmpty()) {
            headers.put("ce-" + name, encoded(value));
          }
        });
    return new CloudEvent(position, key, headers, data.toString().getBytes(StandardCharsets.UTF_8));
  }

  String id() {
    return headers.get("ce-id");
  }

  String type() {
    return headers.get("ce-type");
  }

  /** A value as the HTTP binding wants it in a header: what is not printable ASCII in per cents. */
  private static String encoded(String value) {
    StringBuilder out = new StringBuilder();
    for (byte octet : value.getBytes(StandardCharsets.UTF_8)) {
      if (octet > ' ' && octet < 0x7f && octet != '"' && octet != '%') {
        out.append((char) octet);
      } else {
        out.append(String.format("%%%02X", octet));
      }
    }
    return out.toString();
  }
}
