package observer;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Runs what depends on hours of waiting, on clocks of its own, and tables: every method of the classes below that
 * is not private, each with a new object. Ends with 1 if one fails.
 */
final class Scenarios {
  private static final List<Class<?>> ALL =
      List.of(TurnsScenarios.class, SavedStatesScenarios.class, EventSettingsScenarios.class);

  public static void main(String[] none) throws ReflectiveOperationException {
    int failed = 0;
    for (Class<?> scenarios : ALL) {
      for (Method scenario : of(scenarios)) {
        failed += passes(scenario) ? 0 : 1;
      }
    }
    System.exit(failed == 0 ? 0 : 1);
  }

  private static List<Method> of(Class<?> scenarios) {
    List<Method> all =
        Stream.of(scenarios.getDeclaredMethods())
            .filter(method -> !Modifier.isPrivate(method.getModifiers()) && !method.isSynthetic())
            .sorted(Comparator.comparing(Method::getName))
            .toList();
    if (all.isEmpty()) {
      throw new IllegalStateException("no scenario in " + scenarios);
    }
    return all;
  }

  private static boolean passes(Method scenario) throws ReflectiveOperationException {
    Object of = scenario.getDeclaringClass().getDeclaredConstructor().newInstance();
    try {
      scenario.invoke(of);
      System.out.println("ok " + scenario.getName());
      return true;
    } catch (InvocationTargetException cause) {
      System.out.println("FAILED " + scenario.getName());
      cause.getCause().printStackTrace(System.out);
      return false;
    }
  }

  static void equal(Object expected, Object actual) {
    if (!Objects.equals(expected, actual)) {
      throw new AssertionError("expected " + expected + ", not " + actual);
    }
  }
}
