package observer;

import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Finds instances by the value of a variable. A variable is indexed once it is asked for, until
 * eight others have been asked for since. Not thread-safe; {@link View} locks.
 */
final class Index {
  private static final int MAX_VARIABLES = 8;

  /** The one that was asked for last comes last. */
  private final Map<String, Map<String, Set<Instance>>> byVariable = new LinkedHashMap<>();

  /** The instances whose variable has this value, as JSON; of {@code all} where it is new. */
  Collection<Instance> find(String variable, String value, Iterable<Instance> all) {
    Map<String, Set<Instance>> byValue = byVariable.remove(variable);
    if (byValue == null) {
      byValue = new HashMap<>();
      for (Instance instance : all) {
        put(byValue, instance.valueOf(variable), instance);
      }
    }
    byVariable.put(variable, byValue);
    if (byVariable.size() > MAX_VARIABLES) {
      // Nobody who asks for other names keeps this one from being found: it is built again.
      Iterator<String> longestAgo = byVariable.keySet().iterator();
      longestAgo.next();
      longestAgo.remove();
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
