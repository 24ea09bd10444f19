package dev.tandem.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

import dev.tandem.api.fixture.KnowsCoordinator;
import dev.tandem.core.fixture.ReadsTheClock;
import dev.tandem.core.fixture.StartsThreads;
import dev.tandem.core.fixture.WellBehaved;
import dev.tandem.text.fixture.KnowsEngine;
import dev.tandem.unknown.fixture.InNoTable;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Keeps the arrows of the design: who may know whom. Every rule is also shown to catch a class that
/// breaks it (package `fixture` of the tests).
class ArchitectureTest {
    private static final Set<String> KV_TRANSFER = Set.of("wire", "kv", "transport", "process");
    private static final Set<String> NATIVE = Set.of("device", "kernel", "model", "engine");
    private static final Set<String> SCHEDULER =
            Set.of(
                    "batching",
                    "admission",
                    "routing",
                    "core",
                    "record",
                    "text",
                    "template",
                    "api",
                    "coordinator");

    /// Decide, and touch nothing.
    private static final Set<String> PURE = Set.of("batching", "admission", "routing", "core");

    /// Package to the packages of ours that it may use, itself apart.
    private static final Map<String, Set<String>> ARROWS = arrows();

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(location -> !location.contains("/fixture/"))
                    .importPackages("dev.tandem");

    private static Map<String, Set<String>> arrows() {
        var arrows = new HashMap<String, Set<String>>();
        KV_TRANSFER.forEach(name -> arrows.put(name, KV_TRANSFER));
        NATIVE.forEach(name -> arrows.put(name, union(KV_TRANSFER, NATIVE)));
        SCHEDULER.forEach(name -> arrows.put(name, union(KV_TRANSFER, SCHEDULER)));
        arrows.put("batching", Set.of());
        arrows.put("admission", Set.of());
        arrows.put("routing", Set.of());
        arrows.put("core", Set.of("kv", "batching", "admission", "routing")); // kv: block hashes
        arrows.put("record", union(PURE, Set.of("kv")));
        arrows.put("template", Set.of());
        arrows.put("text", Set.of("template"));
        arrows.put("api", Set.of("core", "admission", "text", "template"));
        arrows.put("prefill", union(KV_TRANSFER, NATIVE));
        arrows.put("decode", union(KV_TRANSFER, NATIVE));
        var below = union(KV_TRANSFER, NATIVE, SCHEDULER, Set.of("prefill", "decode"));
        arrows.put("load", below);
        arrows.put("sim", below);
        arrows.put("bench", below);
        arrows.put("cli", union(below, Set.of("load", "sim")));
        return arrows;
    }

    @SafeVarargs
    private static Set<String> union(Set<String>... sets) {
        var union = new TreeSet<String>();
        Stream.of(sets).forEach(union::addAll);
        return union;
    }

    private static final ArchRule ALLOWED_ARROWS =
            ArchRuleDefinition.classes()
                    .should(
                            condition(
                                    "only use the packages that the table allows",
                                    (type, events) -> checkArrows(type, events)));

    private static final ArchRule CORE_TOUCHES_NOTHING =
            ArchRuleDefinition.classes()
                    .that()
                    .resideInAnyPackage(
                            PURE.stream()
                                    .map(name -> "dev.tandem." + name + "..")
                                    .toArray(String[]::new))
                    .should(
                            condition(
                                    "use plain computation only: no clock, thread, random source or"
                                            + " I/O",
                                    (type, events) -> checkCore(type, events)));

    private static final ArchRule NO_CYCLES =
            SlicesRuleDefinition.slices().matching("dev.tandem.(*)..").should().beFreeOfCycles();

    @Test
    void theClassesAreThere() {
        // Without them every rule below would hold.
        assertThat(CLASSES.contain("dev.tandem.core.CoreOptions")).isTrue();
        assertThat(CLASSES.contain("dev.tandem.engine.WorkerOptions")).isTrue();
        assertThat(CLASSES.contain("dev.tandem.wire.WorkerRole")).isTrue();
        assertThat(CLASSES.contain("dev.tandem.cli.Main")).isTrue();
        assertThat(CLASSES.contain("dev.tandem.cli.ArchitectureTest")).isFalse();
    }

    @Test
    void arrowsAreAllowedOnes() {
        ALLOWED_ARROWS.check(CLASSES);
    }

    @Test
    void coreTouchesNothing() {
        CORE_TOUCHES_NOTHING.check(CLASSES);
    }

    @Test
    void noCyclesBetweenPackages() {
        NO_CYCLES.check(CLASSES);
    }

    @Test
    void everyPackageTellsItsStoryAndIsNullMarked() {
        for (String name : ARROWS.keySet()) {
            if (!name.equals("wire")) { // generated
                JavaPackage found = CLASSES.getPackage("dev.tandem." + name);
                assertThat(found.isAnnotatedWith(NullMarked.class)).as(name).isTrue();
            }
        }
    }

    @Test
    void aBrokenArrowIsCaught() {
        assertThat(violations(ALLOWED_ARROWS, KnowsCoordinator.class))
                .anyMatch(line -> line.contains("CoordinatorOptions"));
        assertThat(violations(ALLOWED_ARROWS, KnowsEngine.class))
                .anyMatch(line -> line.contains("WorkerOptions"));
        assertThat(violations(ALLOWED_ARROWS, InNoTable.class))
                .anyMatch(line -> line.contains("is in no row"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nanoTime",
                "java.time.Clock",
                "java.util.Random",
                "java.util.concurrent.locks",
                "java.nio.file",
                "java.lang.Thread",
                "org.slf4j",
                "java.util.UUID",
                "Math.random"
            })
    void aCoreThatTouchesSomethingIsCaught(String what) {
        List<String> lines =
                Stream.of(ReadsTheClock.class, StartsThreads.class)
                        .flatMap(type -> violations(CORE_TOUCHES_NOTHING, type).stream())
                        .toList();
        assertThat(lines).anyMatch(line -> line.contains(what));
    }

    @Test
    void aCoreThatOnlyComputesPasses() {
        assertThat(violations(CORE_TOUCHES_NOTHING, WellBehaved.class)).isEmpty();
        assertThat(violations(ALLOWED_ARROWS, WellBehaved.class)).isEmpty();
    }

    @Test
    void aCycleIsCaught() {
        var classes =
                new ClassFileImporter()
                        .importClasses(
                                dev.tandem.api.fixture.CycleA.class,
                                dev.tandem.text.fixture.CycleB.class);
        assertThat(NO_CYCLES.evaluate(classes).hasViolation()).isTrue();
    }

    private static List<String> violations(ArchRule rule, Class<?> type) {
        return rule.evaluate(new ClassFileImporter().importClasses(type))
                .getFailureReport()
                .getDetails();
    }

    private interface Check {
        void check(JavaClass type, ConditionEvents events);
    }

    private static ArchCondition<JavaClass> condition(String description, Check check) {
        return new ArchCondition<>(description) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                check.check(type, events);
            }
        };
    }

    private static String packageOf(JavaClass type) {
        String[] parts = type.getPackageName().split("\\.");
        return type.getPackageName().startsWith("dev.tandem.") ? parts[2] : "";
    }

    private static void checkArrows(JavaClass type, ConditionEvents events) {
        String from = packageOf(type);
        Set<String> allowed = ARROWS.get(from);
        if (allowed == null) {
            String message = type.getName() + " is in no row of the table of allowed arrows";
            events.add(SimpleConditionEvent.violated(type, message));
            return;
        }
        for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
            String to = packageOf(dependency.getTargetClass().getBaseComponentType());
            if (!to.isEmpty() && !to.equals(from) && !allowed.contains(to)) {
                events.add(SimpleConditionEvent.violated(type, dependency.getDescription()));
            }
        }
    }

    /// What the core may use besides itself. Prefixes of class names.
    private static final List<String> CORE_MAY =
            List.of(
                    "dev.tandem.core.",
                    "dev.tandem.batching.",
                    "dev.tandem.admission.",
                    "dev.tandem.routing.",
                    "org.agrona.",
                    "org.jspecify.annotations.",
                    "java.lang.",
                    "java.util.",
                    "java.math.",
                    "java.nio.charset.",
                    "java.nio.ByteBuffer",
                    "java.nio.ByteOrder",
                    "java.security.MessageDigest",
                    "java.security.NoSuchAlgorithmException",
                    "java.security.DigestException");

    private static final List<String> CORE_MUST_NOT =
            List.of(
                    "org.agrona.concurrent.",
                    "java.lang.Thread",
                    "java.lang.Process",
                    "java.lang.Runtime",
                    "java.lang.InheritableThreadLocal",
                    "java.lang.foreign.",
                    "java.lang.ref.",
                    "java.util.Random",
                    "java.util.SplittableRandom",
                    "java.util.random.",
                    "java.util.UUID",
                    "java.util.Timer",
                    "java.util.Date",
                    "java.util.Calendar",
                    "java.util.logging.",
                    "java.util.concurrent.");

    private static final Set<String> CORE_MAY_AFTER_ALL =
            Set.of(
                    "java.util.concurrent.TimeUnit",
                    "java.lang.RuntimeException",
                    "dev.tandem.kv.BlockHash"); // pure arithmetic

    private static final Predicate<JavaMethodCall> FORBIDDEN_CALL =
            call ->
                    switch (call.getTargetOwner().getName() + "." + call.getName()) {
                        case "java.lang.System.nanoTime",
                                "java.lang.System.currentTimeMillis",
                                "java.lang.System.getenv",
                                "java.lang.System.exit",
                                "java.lang.Math.random",
                                "java.lang.System.identityHashCode" ->
                                true;
                        default -> false;
                    };

    private static void checkCore(JavaClass type, ConditionEvents events) {
        for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
            JavaClass target = dependency.getTargetClass().getBaseComponentType();
            String name = target.getName();
            boolean may =
                    target.isPrimitive()
                            || CORE_MAY_AFTER_ALL.contains(name)
                            || (CORE_MAY.stream().anyMatch(name::startsWith)
                                    && CORE_MUST_NOT.stream().noneMatch(name::startsWith));
            if (!may) {
                events.add(SimpleConditionEvent.violated(type, dependency.getDescription()));
            }
        }
        for (JavaMethodCall call : type.getMethodCallsFromSelf()) {
            if (FORBIDDEN_CALL.test(call)) {
                events.add(SimpleConditionEvent.violated(type, call.getDescription()));
            }
        }
    }
}
