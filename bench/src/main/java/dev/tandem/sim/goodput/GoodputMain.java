package dev.tandem.sim.goodput;

import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tandem.sim.cluster.Cluster;
import dev.tandem.sim.cluster.ClusterFile;
import dev.tandem.sim.cluster.ClusterFileException;
import dev.tandem.sim.report.Objective;
import dev.tandem.sim.report.RunFacts;
import dev.tandem.sim.workload.LoadedTrace;
import dev.tandem.sim.workload.SyntheticSpec;
import dev.tandem.sim.workload.TenantMix;
import dev.tandem.sim.workload.Trace;
import dev.tandem.sim.workload.TraceException;
import dev.tandem.sim.workload.TraceFile;
import dev.tandem.sim.workload.WorkloadOptions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Compares the adaptive core with every static choice, and runs the scenarios. Prints Markdown.
///
/// ```
/// GoodputMain --trace FILE [--requests N] [--cluster FILE] [--only adaptive|static|all] [--threads 2] [--state FILE]
///     [--adaptive KEY=VALUE]... [--static KEY=VALUE]... [--adaptive-splits 0,4] [--scenarios overload,gap,fairness] [--json FILE]
///     [--markdown FILE] [--plots DIR]
/// ```
/// `--rate R` runs the adaptive choice once at that rate instead of searching. `--cell N` is the cell of the overload runs,
/// counted from 0 row by row.
public final class GoodputMain {
    private static final int USAGE = 2;
    private static final String SEQUENCES_MAX = "1024";

    /// What makes a choice static: a chunk size instead of a measured budget, no cap that follows the load, prompts in the
    /// order of their arrival, roles that bind, nobody shed. Routing, prefix cache and handoff are the same as the adaptive
    /// core's.
    private static final Map<String, String> STATIC =
            Map.of(
                    "batching.budget", "fixed",
                    "batching.cap", "fixed",
                    "batching.order", "first-come",
                    "placement.predict-local", "false",
                    "admission.rules", "queue-limit",
                    "admission.fairness", "fifo");

    /// What makes the core adaptive: the split follows the load, the cap the objective, and whoever can't meet it any more is
    /// told so at once. The rest are the core's defaults.
    private static final Map<String, String> ADAPTIVE =
            Map.of(
                    "placement.roles", "elastic",
                    "batching.cap", "adaptive",
                    "admission.shedding-factor", "1");

    private final GoodputArguments arguments;
    private final Trace trace;
    private final Cluster base;
    private final List<Objective> cells = new ArrayList<>();
    private final GoodputStudy study;
    private final ObjectNode json = GoodputTable.newJson();
    private final StringBuilder markdown = new StringBuilder();

    private GoodputMain(GoodputArguments arguments) {
        this.arguments = arguments;
        long seed = (long) arguments.number("seed");
        long requests = (long) arguments.number("requests");
        Trace source =
                arguments.has("trace")
                        ? TraceFile.scan(Path.of(arguments.text("trace")))
                        : SyntheticSpec.parse(arguments.text("synthetic"), seed);
        this.trace = LoadedTrace.of(source, requests);
        int blockTokens = (int) arguments.number("block-tokens");
        this.base =
                arguments.has("cluster")
                        ? ClusterFile.read(Path.of(arguments.text("cluster")))
                        : ClusterFile.standard(
                                0, 8, blockTokens > 0 ? blockTokens : trace.blockTokens());
        for (double ttft : arguments.numbers("ttft-millis")) {
            for (double tpot : arguments.numbers("tpot-millis")) {
                cells.add(new Objective(ttft, tpot));
            }
        }
        boolean poisson = Boolean.parseBoolean(arguments.text("poisson"));
        var workload =
                new WorkloadOptions(
                        0,
                        0,
                        requests,
                        1,
                        1,
                        0,
                        poisson,
                        TenantMix.none(),
                        0,
                        base.blockTokens(),
                        seed);
        var store =
                new TrialStore(arguments.has("state") ? Path.of(arguments.text("state")) : null);
        this.study =
                new GoodputStudy(
                        trace,
                        workload,
                        cells,
                        RateGrid.standard(),
                        arguments.number("share"),
                        store);
    }

    /// Exit codes: 0 done, 2 used wrongly.
    public static void main(String[] args) throws Exception {
        try {
            new GoodputMain(new GoodputArguments(args)).run();
        } catch (IllegalArgumentException | TraceException | ClusterFileException e) {
            System.err.println(e.getMessage());
            System.exit(USAGE);
        }
    }

    private void run() throws InterruptedException, IOException {
        RunFacts facts = RunFacts.now((long) arguments.number("seed"));
        facts.writeTo(json);
        json.put("trace", trace.name()).put("requests", trace.rows());
        json.put("cluster", base.name()).put("cost_model", base.costModel());
        say(
                "%s, %d requests, on %s (%s), %s.%n"
                        .formatted(
                                trace.name(),
                                trace.rows(),
                                base.name(),
                                base.costModel(),
                                facts.line()));
        if (arguments.number("rate") > 0) {
            once(arguments.number("rate"));
        } else if (!arguments.text("only").equals("none")) {
            compare();
        }
        if (arguments.has("scenarios")) {
            var scenarios = new Scenarios(adaptive().getFirst(), cells, facts.seed());
            for (String name : arguments.text("scenarios").split(",", -1)) {
                say(scenarios.run(name.strip(), (int) arguments.number("cell"), json));
            }
        }
        if (arguments.has("json")) {
            Files.writeString(Path.of(arguments.text("json")), json.toPrettyString() + "\n");
        }
        if (arguments.has("markdown")) {
            Files.writeString(Path.of(arguments.text("markdown")), markdown);
        }
    }

    private void say(String text) {
        System.out.println(text);
        markdown.append(text).append('\n');
    }

    private void once(double rate) {
        say(
                "| choice | objectives | met | goodput req/s | completed | refused | longest gap ms"
                        + " | s |");
        say("|---|---|---|---|---|---|---|---|");
        for (Choice choice : choices()) {
            for (int cell = 0; cell < cells.size(); cell++) {
                Trial.Outcome outcome = study.trial(choice, cell).run(rate);
                say(
                        String.format(
                                Locale.ROOT,
                                "| %s | %s | %.2f %% | %.2f | %d | %d | %.1f | %.2f |",
                                choice.name(),
                                cells.get(cell).label(),
                                100 * outcome.share(cell),
                                outcome.goodput(cell),
                                outcome.completed(),
                                outcome.refused(),
                                outcome.gapMaxMillis(),
                                outcome.wallSeconds()));
            }
        }
    }

    private List<Choice> choices() {
        List<Choice> choices = new ArrayList<>();
        String only = arguments.text("only");
        if (only.equals("all") || only.equals("adaptive")) {
            choices.addAll(adaptive());
        }
        if (only.equals("all") || only.equals("static")) {
            choices.addAll(statics());
        }
        if (choices.isEmpty()) {
            throw new IllegalArgumentException(
                    "--only must be all, adaptive, static or none, is \"" + only + "\"");
        }
        return choices;
    }

    private void compare() throws InterruptedException, IOException {
        int threads = (int) Math.clamp(arguments.number("threads"), 1, 64);
        List<GoodputStudy.Row> rows = study.run(choices(), threads, System.err);
        var table = new GoodputTable(cells, rows);
        say(table.markdown());
        table.writeTo(json);
        if (arguments.has("plots")) {
            GoodputPlots.write(Path.of(arguments.text("plots")), table, cells, study.grid());
        }
    }

    /// The core's own policies within the machines' limits, or what `--adaptive` says.
    private List<Choice> adaptive() {
        Map<String, String> changes = new LinkedHashMap<>();
        if (!arguments.has("cluster")) {
            changes.put("step-tokens-max", "8192");
            changes.put("sequences-max", SEQUENCES_MAX);
        }
        changes.putAll(ADAPTIVE);
        changes.putAll(arguments.adaptives());
        List<Choice> choices = new ArrayList<>();
        for (double split : arguments.numbers("adaptive-splits")) {
            Choice choice = Choice.of("", true, (int) split, base, changes);
            choices.add(named("adaptive " + choice.split(), choice));
        }
        if (choices.isEmpty()) {
            throw new IllegalArgumentException("--adaptive-splits is empty");
        }
        return choices;
    }

    private static Choice named(String name, Choice choice) {
        return new Choice(name, choice.adaptive(), choice.prefill(), choice.cluster());
    }

    private List<Choice> statics() {
        List<Choice> choices = new ArrayList<>();
        for (double split : arguments.numbers("splits")) {
            for (double chunk : arguments.numbers("chunks")) {
                Map<String, String> changes = new LinkedHashMap<>();
                changes.put("step-tokens-max", Integer.toString((int) chunk));
                changes.put("sequences-max", SEQUENCES_MAX);
                changes.putAll(STATIC);
                changes.putAll(arguments.statics());
                Choice choice = Choice.of("", false, (int) split, base, changes);
                choices.add(named("chunk %d, %s".formatted((int) chunk, choice.split()), choice));
            }
        }
        return choices;
    }
}
