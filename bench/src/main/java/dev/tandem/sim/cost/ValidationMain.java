package dev.tandem.sim.cost;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;

/// Prints how well the step costs predict published and measured servers, as Markdown. Equal arguments print equal text.
///
/// `ValidationMain [--profiles FOLDER] [--seed N]`; the folder holds `aiconfigurator`, `distserve` and `silicon-e2e`, by default
/// `profiles` in the folder of `-Dtandem.data`.
public final class ValidationMain {
    private static final int QUEUE_REQUESTS = 20_000;
    private static final int FACTOR_BISECTIONS = 14;
    private static final PhaseQueue.Goal GOAL = new PhaseQueue.Goal(512, 64, 400, 40, 0.9);

    private final PrintStream out;
    private final Path profiles;
    private final long seed;

    private ValidationMain(PrintStream out, Path profiles, long seed) {
        this.out = out;
        this.profiles = profiles;
        this.seed = seed;
    }

    /// @param args see the class
    /// @throws IOException a profile can't be read
    public static void main(String[] args) throws IOException {
        String data = System.getProperty("tandem.data");
        Path profiles = data == null ? null : Path.of(data, "profiles");
        long seed = 1;
        for (int i = 0; i < args.length; i += 2) {
            String value = i + 1 < args.length ? args[i + 1] : "";
            switch (args[i]) {
                case "--profiles" -> profiles = Path.of(value);
                case "--seed" -> seed = Long.parseLong(value);
                default ->
                        throw new IllegalArgumentException(
                                "unknown argument '"
                                        + args[i]
                                        + "'; there are --profiles FOLDER and --seed N");
            }
        }
        if (profiles == null) {
            throw new IllegalArgumentException(
                    "say where the measured profiles are: --profiles FOLDER or"
                            + " -Dtandem.data=FOLDER");
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        ValidationMain main = new ValidationMain(out, profiles, seed);
        main.interpolation();
        main.workedExample();
        main.measuredServers();
    }

    // ---- interpolation

    private void interpolation() throws IOException {
        out.println("## Interpolation error of the measured kernel times\n");
        out.println(
                "Every point predicted from its two neighbours along one axis, itself left out.\n");
        out.println("| device | operation | axis | points | median % | p95 % |");
        out.println("|---|---|---|---:|---:|---:|");
        for (Device device : new Device[] {Device.H100, Device.H200, Device.A100}) {
            ProfileFolder folder =
                    new ProfileFolder(profiles.resolve("aiconfigurator"), device.name());
            for (String type :
                    device == Device.A100
                            ? new String[] {"bfloat16"}
                            : new String[] {"bfloat16", "fp8"}) {
                productErrors(device.name(), type, folder.products(type));
            }
            List<TreeMap<Integer, TreeMap<Integer, Double>>> prefill = new ArrayList<>();
            List<TreeMap<Integer, TreeMap<Integer, Double>>> decode = new ArrayList<>();
            for (int[] heads : new int[][] {{64, 8}, {32, 8}, {32, 4}, {16, 2}, {8, 1}}) {
                prefill.add(folder.contextAttention(heads[0], heads[1], 128, "bfloat16"));
                decode.add(folder.decodeAttention(heads[0], heads[1], 128, "bfloat16"));
            }
            attentionErrors(device.name(), "prefill attention", prefill);
            attentionErrors(device.name(), "decode attention", decode);
        }
        out.println();
    }

    private void productErrors(
            String device,
            String type,
            TreeMap<Integer, TreeMap<Integer, TreeMap<Integer, Double>>> byRows) {
        ErrorStatistics k = new ErrorStatistics();
        ErrorStatistics n = new ErrorStatistics();
        TreeMap<Long, TreeMap<Integer, Double>> alongM = new TreeMap<>();
        byRows.forEach(
                (m, cells) -> {
                    LogGrid.leaveOneOut(cells, k);
                    LogGrid.leaveOneOut(transposed(cells), n);
                    cells.forEach(
                            (wide, row) ->
                                    row.forEach(
                                            (deep, nanos) ->
                                                    alongM.computeIfAbsent(
                                                                    (long) wide << 32 | deep,
                                                                    at -> new TreeMap<>())
                                                            .put(m, nanos)));
                });
        ErrorStatistics m = new ErrorStatistics();
        LogGrid.leaveOneOut(alongM, m);
        errorLine(device, type + " product", "m (tokens)", m);
        errorLine(device, type + " product", "n", n);
        errorLine(device, type + " product", "k", k);
    }

    private void attentionErrors(
            String device, String what, List<TreeMap<Integer, TreeMap<Integer, Double>>> tables) {
        ErrorStatistics tokens = new ErrorStatistics();
        ErrorStatistics rows = new ErrorStatistics();
        for (TreeMap<Integer, TreeMap<Integer, Double>> cells : tables) {
            LogGrid.leaveOneOut(cells, tokens);
            LogGrid.leaveOneOut(transposed(cells), rows);
        }
        errorLine(device, what, "tokens", tokens);
        errorLine(device, what, "sequences", rows);
    }

    private void errorLine(String device, String what, String axis, ErrorStatistics errors) {
        out.printf(
                Locale.ROOT,
                "| %s | %s | %s | %d | %s | %s |%n",
                device,
                what,
                axis,
                errors.count(),
                errors.percent(0.5),
                errors.percent(0.95));
    }

    private static TreeMap<Integer, TreeMap<Integer, Double>> transposed(
            TreeMap<Integer, TreeMap<Integer, Double>> cells) {
        TreeMap<Integer, TreeMap<Integer, Double>> turned = new TreeMap<>();
        cells.forEach(
                (x, row) ->
                        row.forEach(
                                (y, nanos) ->
                                        turned.computeIfAbsent(y, at -> new TreeMap<>())
                                                .put(x, nanos)));
        return turned;
    }

    // ---- DistServe's worked example

    private void workedExample() throws IOException {
        out.println("## DistServe's worked example\n");
        out.println(
                "OPT-13B, one A100, 512 tokens in, 64 out, Poisson arrivals, 90 % of the requests"
                        + " within TTFT 0.4 s and TPOT");
        out.printf(
                Locale.ROOT,
                "0.04 s; %,d requests, seed %d. Highest rate, requests/s.%n%n",
                QUEUE_REQUESTS,
                seed);
        out.println("| | colocated | prefill only | decode only | 2 prefill + 1 decode, per GPU |");
        out.println("|---|---:|---:|---:|---:|");
        out.println("| published (measured on a server) | 1.6 | 5.6 | 10 | 3.3 |");
        FittedCost distserve = fitted("distserve");
        exampleLine("DistServe's coefficients", distserve);
        exampleLine("its coefficients for vLLM", fitted("vllm"));
        double prefill =
                factor(
                        f -> queue(distserve.times(f, 1)).goodput(PhaseQueue.Role.PREFILL_ONLY),
                        5.6);
        double decode =
                factor(f -> queue(distserve.times(1, f)).goodput(PhaseQueue.Role.DECODE_ONLY), 10);
        exampleLine(
                String.format(
                        Locale.ROOT, "DistServe's, prefill x %.3f, decode x %.3f", prefill, decode),
                distserve.times(prefill, decode));
        out.println();
        out.println(
                "The two factors of the last line were fitted to the published prefill-only and"
                        + " decode-only rates, so those two say");
        out.println("nothing; its colocated rate is a prediction.\n");
    }

    private FittedCost fitted(String engine) throws IOException {
        Path file = profiles.resolve("distserve/profiler-a100-80g." + engine + ".json");
        return FittedCost.read(file, "facebook/opt-13b", 1);
    }

    private PhaseQueue queue(StepCost cost) {
        return new PhaseQueue(cost, GOAL, 1, QUEUE_REQUESTS, seed);
    }

    private void exampleLine(String name, StepCost cost) {
        PhaseQueue queue = queue(cost);
        double colocated = queue.goodput(PhaseQueue.Role.COLOCATED);
        double prefill = queue.goodput(PhaseQueue.Role.PREFILL_ONLY);
        double decode = queue.goodput(PhaseQueue.Role.DECODE_ONLY);
        double three = Math.min(2 * prefill, decode) / 3;
        out.printf(
                Locale.ROOT,
                "| %s | %s | %s | %s | %s |%n",
                name,
                deviation(colocated, 1.6),
                deviation(prefill, 5.6),
                deviation(decode, 10),
                deviation(three, 10.0 / 3));
    }

    private static String deviation(double value, double published) {
        return String.format(Locale.ROOT, "%.2f (%+.0f %%)", value, 100 * (value / published - 1));
    }

    /// @return the factor at which a falling rate meets `target`
    static double factor(DoubleUnaryOperator rate, double target) {
        double fast = 0.5;
        double slow = 3;
        for (int i = 0; i < FACTOR_BISECTIONS; i++) {
            double middle = (fast + slow) / 2;
            if (rate.applyAsDouble(middle) > target) {
                fast = middle;
            } else {
                slow = middle;
            }
        }
        return fast;
    }

    // ---- measured servers

    private void measuredServers() throws IOException {
        Map<String, List<SiliconRow>> groups = new TreeMap<>();
        int disaggregated = 0;
        int withoutConcurrency = 0;
        for (SiliconRow row :
                SiliconRow.read(profiles.resolve("silicon-e2e/silicon_e2e_given.csv"))) {
            if (!row.aggregated()) {
                disaggregated++;
            } else if (row.concurrency() == 0) {
                withoutConcurrency++;
            } else {
                groups.computeIfAbsent(row.group(), group -> new ArrayList<>()).add(row);
            }
        }
        out.println("## Measured servers, closed loop\n");
        out.println(
                "Absolute relative error of the mean TTFT and TPOT of a run: median / p90, percent."
                        + " `kernels alone`: every row, nothing");
        out.printf(
                "fitted. `fitted half`, `other half`: engine traits found on one random half of the"
                        + " rows (seed %d) and used on both.%n%n",
                seed);
        out.println(
                "| engine, model, device | rows | TTFT kernels alone | TTFT fitted half | TTFT"
                    + " other half | TPOT kernels alone | TPOT fitted half | TPOT other half |");
        out.println("|---|---:|---:|---:|---:|---:|---:|---:|");
        List<String> traits = new ArrayList<>();
        EngineFit.Errors all = new EngineFit.Errors(new ErrorStatistics(), new ErrorStatistics());
        for (Map.Entry<String, List<SiliconRow>> group : groups.entrySet()) {
            EngineFit fit =
                    new EngineFit(profiles.resolve("aiconfigurator"), group.getValue(), seed);
            EngineTraits start = EngineTraits.defaults(policyOf(group.getKey()));
            EngineTraits found = fit.fit(start);
            EngineFit.Errors alone = fit.errors(group.getValue(), start);
            EngineFit.Errors training = fit.errors(fit.training(), found);
            EngineFit.Errors test = fit.errors(fit.test(), found);
            out.printf(
                    "| %s | %d | %s | %s | %s | %s | %s | %s |%n",
                    group.getKey(),
                    group.getValue().size(),
                    cell(alone.ttft()),
                    cell(training.ttft()),
                    cell(test.ttft()),
                    cell(alone.tpot()),
                    cell(training.tpot()),
                    cell(test.tpot()));
            traits.add("- " + group.getKey() + ": " + found);
            all.ttft().addAll(test.ttft());
            all.tpot().addAll(test.tpot());
        }
        out.printf(
                "| all groups, other halves | %d | | | %s | | | %s |%n",
                all.ttft().count(), cell(all.ttft()), cell(all.tpot()));
        out.printf(
                "%nLeft out: %d disaggregated rows (DeepSeek: latent attention and experts are not"
                        + " in the kernel tables), %d rows%n",
                disaggregated, withoutConcurrency);
        out.println(
                "without a concurrency. One split only. Which traits there are was decided after"
                        + " looking at all rows, both halves, so");
        out.println(
                "the other half is held out from the fit of their values, not from the choice of"
                        + " the model. Traits found:\n");
        traits.forEach(out::println);
    }

    private static String cell(ErrorStatistics errors) {
        return errors.percent(0.5) + " / " + errors.percent(0.9);
    }

    private static EngineTraits.Policy policyOf(String group) {
        if (group.startsWith("sglang")) {
            return EngineTraits.Policy.PREFILL_FIRST;
        }
        return group.startsWith("trtllm") ? EngineTraits.Policy.WHOLE : EngineTraits.Policy.CHUNKED;
    }
}
