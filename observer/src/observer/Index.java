package observer;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Finds instances by the value of a variable. A variable is indexed from the first time that it is
 * asked for. Not thread-safe; {@link View} locks.
 */
final class Index {
  private static final int MAX_VARIABLES = 8;

  private final Map<String, Map<String, Set<Instance>>> byVariable = new HashMap<>();

  /** The instances whose variable has this value, as JSON; of {@code all} where it is new. */
  Collection<Instance> find(String variable, String value, Iterable<Instance> all) {
    Map<String, Set<Instance>> byValue = byVariable.get(variable);
    if (byValue == null) {
      if (byVariable.size() >= MAX_VARIABLES) {
        throw new IllegalArgumentException(
            "at most " + MAX_VARIABLES + " variables can be searched by");
      }
      byValue = new HashMap<>();
      byVariable.put(variable, byValue);
      for (Instance instance : all) {
        put(byValue, instance.valueOf(variable), instance);
      }
    }
    return byValue.getOrDefault(value, Set.of());
  }

  /** To be told before and after a variable changes. */
  void changed(String variable, String before, String after, Instance instance) {
    Map<String, Set<Instance>> byValue = byVariable.get(variable);
    if (byValue != null) {
      remove(byValue, before, instance);
      put(byValue, after, instance);
    }
  }

  /** To be told when an instance is forgotten. */
  void forget(Instance instance) {
    byVariable.forEach(
        (variable, byValue) -> remove(byValue, instance.valueOf(variable), instance));
  }

  private static void put(Map<String, Set<Instance>> byValue, String value, Instance instance) {
    if (value != null) {
      byValue.computeIfAbsent(value, any -> new LinkedHashSet<>()).add(instance);
    }
  }

  private static void remove(Map<String, Set<Instance>> byValue, String value, Instance instance) {
    Set<Instance> same = value == null ? null : byValue.get(value);
    if (same != null) {
      same.remove(instance);
      if (same.isEmpty()) {
        byValue.remove(value);
      }
    }
  }
}
