package observer;

import static observer.Scenarios.equal;

import java.net.URI;
import java.time.Duration;
import java.util.Map;

final class EventSettingsScenarios {
  private static final String URL = "http://broker.example/default/default";

  /** What is said of arguments that are none, beside a `url` that is one. */
  private static String saidOf(String name, Object value) {
    Map<String, Object> arguments = name.equals("url") ? Map.of(name, value) : Map.of("url", URL, name, value);
    return saidOf(arguments);
  }

  private static String saidOf(Map<String, Object> arguments) {
    try {
      return "nothing of " + EventSettings.of(arguments);
    } catch (IllegalArgumentException cause) {
      return cause.getMessage();
    }
  }

  void anArgumentThatIsWrongIsNamedWithWhatItMustBe() {
    String address = "`url` must be the http or https address of a Broker, not `";
    equal(address + "`", saidOf(Map.of()));
    for (String url : new String[] {"broker.example", "ftp://broker.example", "http:///default", "http://a b", "http://a:65536"}) {
      equal(address + url + "`", saidOf("url", url));
    }
    equal(address + "http://...@broker.example`", saidOf("url", "http://name:secret@broker.example"));
    String seconds = "`patienceSeconds` must be a whole number of seconds from 1 to 31536000, not `";
    for (String patience : new String[] {"0", "-1", "1.5", "1h", "31536001"}) {
      equal(seconds + patience + "`", saidOf("patienceSeconds", patience));
    }
    equal("`correlationKeys` must be true or false, not `yes`", saidOf("correlationKeys", "yes"));
    String known = "; known are [correlationKeys, engineName, patienceSeconds, tokenFile, url]";
    equal("unknown arguments [patience]" + known, saidOf("patience", 3));
  }

  void thoseThatAreLeftOutHaveTheirDefaults() {
    EventSettings settings = EventSettings.of(Map.of("url", URL));
    equal(new EventSettings(URI.create(URL), "/zeebe/default", Duration.ofHours(1), false, ""), settings);
  }

  void namesInLowerCaseAreTakenAsTheEnginesEnvironmentGivesThemAndValuesOfOtherTypesAsYamlDoes() {
    Map<String, Object> arguments =
        Map.of(
            "URL", URL, "enginename", "production", "patienceseconds", 60, "correlationkeys", true, "tokenfile", "/t");
    EventSettings settings = EventSettings.of(arguments);
    equal(new EventSettings(URI.create(URL), "/zeebe/production", Duration.ofMinutes(1), true, "/t"), settings);
  }
}
