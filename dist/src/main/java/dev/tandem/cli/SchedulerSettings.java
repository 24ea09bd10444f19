package dev.tandem.cli;

import static dev.tandem.cli.Command.COORDINATOR;
import static dev.tandem.cli.Command.DECODE_WORKER;
import static dev.tandem.cli.Command.PREFILL_WORKER;
import static dev.tandem.cli.Command.SERVE;

import dev.tandem.admission.TenantLimits;
import dev.tandem.admission.WorkloadClass;
import dev.tandem.core.CoreOptions;
import dev.tandem.routing.RoutingPolicies;
import dev.tandem.sim.cluster.OptionKeys;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The settings of the scheduling core. Below `scheduler.`, a key is the path of the option that it sets
/// ([OptionKeys]), so a simulator's cluster file knows the same keys and more: what has no setting here keeps its
/// default. Defaults are the core's own.
final class SchedulerSettings {
    /// What every key begins with.
    static final String PREFIX = "scheduler.";

    private static final List<Setting<?>> ALL = new ArrayList<>();
    private static final CoreOptions DEFAULTS = CoreOptions.defaults();
    private static final int ANY = Integer.MAX_VALUE;
    private static final int TENANTS_MAX = 1_000;
    private static final int CLASSES_MAX = 64;
    private static final Set<Command> FRONT = EnumSet.of(SERVE, COORDINATOR);
    private static final Set<Command> PROCESSES =
            EnumSet.of(SERVE, COORDINATOR, PREFILL_WORKER, DECODE_WORKER);

    // Limits and recovery.
    static final Setting<Integer> STEP_TOKENS_MAX =
            core(
                    "step-tokens-max",
                    "step-tokens-max",
                    SettingType.wholeNumber(1, ANY),
                    "Tokens in one step of one worker; longer prompts are computed in chunks.",
                    PROCESSES);
    static final Setting<Integer> SEQUENCES_MAX =
            core(
                    "sequences-max",
                    "sequences-max",
                    SettingType.wholeNumber(1, ANY),
                    "Sequences that run at once on one worker.",
                    PROCESSES);

    static {
        number("run-ahead-plans", 1, "Plans in flight per worker; 2 hides the results' way back.");
        truth(
                "prefix-cache",
                "prefix-cache",
                "Whether KV blocks of earlier requests with the same beginning are used again.");
        number(
                "lease-millis",
                1,
                "Life of a KV lease, milliseconds; a slower transfer is given up and recomputed.");
        number(
                "recomputes-max",
                0,
                "Times that a sequence may start over after lost workers or failed transfers.");
        number(
                "unserved-millis-max",
                1,
                "Wait of a sequence, ms, while no worker at all can serve it; then it fails.");
        number(
                "preempt-every-steps",
                0,
                "Forces a preemption on every n-th step, to test recovery; 0 = never.");
    }

    // How the steps of a worker are filled.
    static {
        words(
                "step-budget",
                "batching.budget",
                "Prompt tokens of a step: always up to --step-tokens-max, or as many as keep"
                        + " --tpot-millis.",
                "fixed",
                "latency");
        words(
                "sequence-cap",
                "batching.cap",
                "Running sequences of a worker: always up to --sequences-max, or as many as keep"
                        + " --tpot-millis.",
                "fixed",
                "adaptive");
        words(
                "prefill-order",
                "batching.order",
                "Which prompt goes first: the oldest, or the shorter ones with ageing.",
                "first-come",
                "size-aware");
        decimal(
                "prefill-stretch",
                "batching.stretch",
                "Size-aware order: a prompt of s seconds lets shorter ones pass that come up to so"
                        + " many times s after it.");
        number(
                "tpot-millis",
                "batching.tpot-millis",
                1,
                "Objective for the time from one token to the next, milliseconds.");
    }

    // Where sequences are placed.
    static {
        words(
                "roles",
                "placement.roles",
                "Whether a worker's role binds: always, while both roles have room, or not at all.",
                "fixed",
                "elastic",
                "mixed");
        number(
                "local-prefill-tokens-max",
                "placement.local-prefill-tokens-max",
                0,
                "Prompts with at most so many uncached tokens are computed on the decode worker.");
        truth(
                "predict-local",
                "placement.predict-local",
                "Whether longer prompts are too when that is predicted to be faster.");
        decimal(
                "staging-share",
                "placement.staging-share",
                "Part of a worker's KV blocks that sequences on their way to it may hold.");
        number(
                "fetch-millis-max",
                "placement.fetch-millis-max",
                0,
                "Longest wait for a cached prefix that another worker sends; 0 = none is fetched.");
        decimal(
                "growth-share",
                "placement.growth-share",
                "Part of its expected output that must have room before a sequence is placed.");
    }

    // Which one of several workers.
    static {
        words(
                "prefill-routing",
                "routing.prefill-policy",
                "How the worker that computes a prompt is chosen.",
                RoutingPolicies.names().toArray(String[]::new));
        words(
                "decode-routing",
                "routing.decode-policy",
                "How the worker that generates is chosen.",
                RoutingPolicies.names().toArray(String[]::new));
        decimal(
                "hedge-share",
                "routing.hedge.share",
                "Prefills started a second time elsewhere, per request of a class; 0 = none.");
        decimal(
                "hedge-percentile",
                "routing.hedge.percentile",
                "Percentile of the usual delay after which a prefill is hedged, 0.5 to 1.");
        decimal("retry-share", "routing.retry.share", "Restarts allowed per request, 0 to 1.");
        decimal(
                "slow-start-weight-min",
                "routing.slow-start.weight-min",
                "Weight that a fresh worker begins with; 1 = no slow start.");
        decimal(
                "ejected-share-max",
                "routing.ejection.ejected-share-max",
                "Share of the workers that may be ejected as outliers at once; 0 = none.");
        decimal(
                "zone-overprovisioning",
                "routing.zones.overprovisioning",
                "A zone counts as whole while its healthy capacity times this reaches the"
                        + " expected one.");
        decimal(
                "zone-panic-share",
                "routing.zones.panic-share",
                "Below this share of healthy capacity ejections are ignored.");
        truth(
                "zone-spill",
                "routing.zones.spill-anywhere",
                "Whether a zone's load may go to zones that --zone-failover does not name.");
    }

    /// Zones that take over, by zone; one key of the core for each zone.
    static final Setting<Map<String, List<String>>> ZONE_FAILOVER =
            add(
                    new Setting<>(
                            "zone-failover",
                            PREFIX + "routing.zones.failover",
                            SettingType.preferences(),
                            null,
                            "none",
                            "Which zones take over, first first: a:b+c,b:a.",
                            FRONT));

    // Who may be served, and in which order.
    static {
        words(
                "fairness",
                "admission.fairness",
                "What the queue is fair to.",
                "fifo",
                "lanes",
                "lanes-and-tenants");
        add(
                new Setting<>(
                        "admission-rules",
                        PREFIX + "admission.rules",
                        SettingType.listOrNone(
                                "tenant-budget", "queue-limit", "deadline", "predicted-ttft"),
                        "tenant-budget,queue-limit,deadline,predicted-ttft",
                        "",
                        "Rules that may refuse a request at once: tenant-budget, queue-limit,"
                                + " deadline, predicted-ttft; or none.",
                        FRONT));
        core(
                "lane-shares",
                "admission.lane-shares",
                SettingType.numbers(3),
                "Guaranteed shares of the computed tokens: interactive, default, batch.",
                FRONT);
        number(
                "queued-tokens-max",
                "admission.queued-tokens-max",
                1,
                "Prompt tokens that may wait; requests beyond are refused at once.");
        number(
                "queued-sequences-max",
                "admission.queued-sequences-max",
                1,
                "Sequences that may wait; requests beyond are refused at once.");
        decimal(
                "shedding-factor",
                "admission.shedding-factor",
                "Requests are refused when the predicted time to the first token is beyond so many"
                        + " times its objective.");
        number(
                "ttft-millis",
                "admission.default-class.ttft-millis",
                0,
                "Objective for the time to the first token, ms; 0 = none, never refused for it.");
        number(
                "output-tokens-max",
                "admission.default-class.output-tokens-max",
                1,
                "Tokens that a request gets at most, whatever it asks for.");
        number(
                "output-tokens-expected",
                "admission.default-class.output-tokens-expected",
                1,
                "Tokens that a request is taken to generate when budget and deadline are judged.");
    }

    static final Setting<List<TenantLimits>> TENANTS =
            add(
                    new Setting<>(
                            "tenants",
                            "tenants",
                            NamedEntries.tenants(TENANTS_MAX),
                            null,
                            "none",
                            "Tenants with limits of their own: name, weight, tokens-per-second,"
                                    + " burst-tokens, lane-max.",
                            FRONT));
    static final Setting<List<WorkloadClass>> CLASSES =
            add(
                    new Setting<>(
                            "classes",
                            "classes",
                            NamedEntries.classes(CLASSES_MAX),
                            null,
                            "none",
                            "Workload classes: name, routes, lane, ttft-millis, tpot-millis,"
                                    + " output-tokens-max, output-tokens-expected.",
                            FRONT));

    private SchedulerSettings() {}

    static List<Setting<?>> all() {
        return List.copyOf(ALL);
    }

    /// The core's options of a coordinator.
    ///
    /// @throws UsageException a value that the core does not allow
    static CoreOptions options(SettingValues values) throws UsageException {
        CoreOptions options = DEFAULTS;
        for (Setting<?> setting : ALL) {
            if (setting.key().startsWith(PREFIX) && values.isGiven(setting)) {
                options = with(options, setting, values);
            }
        }
        try {
            return options.withPolicies(
                    options.batching(),
                    options.placement(),
                    options.routing(),
                    options.admission()
                            .withTenants(values.find(TENANTS).orElse(List.of()))
                            .withClasses(values.find(CLASSES).orElse(List.of())));
        } catch (IllegalArgumentException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    private static CoreOptions with(CoreOptions options, Setting<?> setting, SettingValues values)
            throws UsageException {
        String path = setting.key().substring(PREFIX.length());
        try {
            if (setting.equals(ZONE_FAILOVER)) {
                CoreOptions changed = options;
                for (var rule : values.get(ZONE_FAILOVER).entrySet()) {
                    changed =
                            OptionKeys.with(
                                    changed,
                                    path + "." + rule.getKey(),
                                    String.join(",", rule.getValue()));
                }
                return changed;
            }
            return OptionKeys.with(options, path, optionText(values.get(setting)));
        } catch (IllegalArgumentException e) {
            throw new UsageException(setting.flag() + ": " + e.getMessage());
        }
    }

    private static String optionText(Object value) {
        return value instanceof List<?> list
                ? String.join(",", list.stream().map(String::valueOf).toList())
                : value.toString();
    }

    // ---- declarations ----

    private static void number(String name, int least, String description) {
        number(name, name, least, description);
    }

    private static void number(String name, String path, int least, String description) {
        core(name, path, SettingType.wholeNumber(least, ANY), description, FRONT);
    }

    private static void decimal(String name, String path, String description) {
        core(name, path, SettingType.decimal(), description, FRONT);
    }

    private static void truth(String name, String path, String description) {
        core(name, path, SettingType.truth(), description, FRONT);
    }

    private static void words(String name, String path, String description, String... words) {
        core(name, path, SettingType.oneOf(words), description, FRONT);
    }

    private static <T> Setting<T> core(
            String name,
            String path,
            SettingType<T> type,
            String description,
            Set<Command> commands) {
        String text = OptionKeys.text(DEFAULTS, path);
        return add(new Setting<>(name, PREFIX + path, type, text, "", description, commands));
    }

    private static <T> Setting<T> add(Setting<T> setting) {
        ALL.add(setting);
        return setting;
    }
}
