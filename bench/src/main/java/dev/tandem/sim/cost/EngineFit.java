package dev.tandem.sim.cost;

import dev.tandem.sim.cost.EngineTraits.Knob;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/// Predicts the measured rows of one engine, and finds its traits from a part of them.
///
/// The fit goes over the knobs one after another and keeps the candidate with the smallest loss, until a whole round changes
/// nothing. The loss is the mean of `|ln(predicted / measured)|`, each at most 1, over TTFT and TPOT of the training rows: near the
/// relative error for small errors, and blind to how far off a row is that the model misses altogether.
final class EngineFit {
    private static final int DESCENTS = 3;
    private static final int ROUNDS_MAX = 8;
    private static final double ROW_LOSS_MAX = 1;

    private final Map<String, ProfiledCost> tables = new HashMap<>();
    private final Path profiles;
    private final List<SiliconRow> training = new ArrayList<>();
    private final List<SiliconRow> test = new ArrayList<>();

    /// Errors of both quantities over some rows.
    record Errors(ErrorStatistics ttft, ErrorStatistics tpot) {}

    /// @param profiles the folder `aiconfigurator` of the measured profiles
    /// @param rows     of one group; split in halves at random
    /// @param seed     of the split
    EngineFit(Path profiles, List<SiliconRow> rows, long seed) {
        this.profiles = profiles;
        List<SiliconRow> shuffled = new ArrayList<>(rows);
        Collections.shuffle(shuffled, new Random(seed));
        training.addAll(shuffled.subList(0, shuffled.size() / 2));
        test.addAll(shuffled.subList(shuffled.size() / 2, shuffled.size()));
    }

    List<SiliconRow> training() {
        return training;
    }

    List<SiliconRow> test() {
        return test;
    }

    /// Tries a coarse grid over the knobs that interact (how requests bunch), and descends from its best points.
    ///
    /// @return the traits found from `start`; only training rows are looked at
    /// @throws IOException a measured profile is lacking
    EngineTraits fit(EngineTraits start) throws IOException {
        TreeMap<Double, EngineTraits> coarse =
                new TreeMap<>(); // two points of equal loss count as one
        for (double budget : new double[] {2048, 8192}) {
            for (double withheld : new double[] {0, 1}) {
                for (double waves : new double[] {3, 5, 10}) {
                    for (double millis : new double[] {0, 1, 3, 8}) {
                        EngineTraits point =
                                start.with(Knob.STEP_TOKENS, budget)
                                        .with(Knob.SLOTS_WITHHELD, withheld)
                                        .with(Knob.WAVES, waves)
                                        .with(Knob.REQUEST_MILLIS, millis);
                        coarse.put(loss(point), point);
                    }
                }
            }
        }
        EngineTraits best = start;
        double bestLoss = loss(start);
        int descents = 0;
        for (EngineTraits point : coarse.values()) {
            if (descents++ == DESCENTS) {
                break;
            }
            EngineTraits found = descend(point);
            double foundLoss = loss(found);
            if (foundLoss < bestLoss) {
                best = found;
                bestLoss = foundLoss;
            }
        }
        return best;
    }

    private EngineTraits descend(EngineTraits start) throws IOException {
        EngineTraits best = start;
        double bestLoss = loss(best);
        for (int round = 0; round < ROUNDS_MAX; round++) {
            EngineTraits before = best;
            for (Knob knob : Knob.values()) {
                if (knob == Knob.KV_BYTES && !training.getFirst().fp8()) {
                    continue;
                }
                for (double candidate : knob.candidates()) {
                    EngineTraits changed = best.with(knob, candidate);
                    double changedLoss = loss(changed);
                    if (changedLoss < bestLoss) {
                        best = changed;
                        bestLoss = changedLoss;
                    }
                }
            }
            if (best.equals(before)) {
                break;
            }
        }
        return best;
    }

    private double loss(EngineTraits traits) throws IOException {
        double sum = 0;
        for (SiliconRow row : training) {
            ClosedLoop run = predict(row, traits);
            sum += Math.min(ROW_LOSS_MAX, Math.abs(Math.log(run.ttftMillis() / row.ttftMillis())));
            sum += Math.min(ROW_LOSS_MAX, Math.abs(Math.log(run.tpotMillis() / row.tpotMillis())));
        }
        return sum / (2 * training.size());
    }

    /// @return the errors of these traits on `rows`
    Errors errors(List<SiliconRow> rows, EngineTraits traits) throws IOException {
        Errors errors = new Errors(new ErrorStatistics(), new ErrorStatistics());
        for (SiliconRow row : rows) {
            ClosedLoop run = predict(row, traits);
            errors.ttft().add(run.ttftMillis() / row.ttftMillis() - 1);
            errors.tpot().add(run.tpotMillis() / row.tpotMillis() - 1);
        }
        return errors;
    }

    /// @return the run of `row` by an engine of these traits
    ClosedLoop predict(SiliconRow row, EngineTraits traits) throws IOException {
        Device device = Device.named(row.device());
        int kvBytes = (int) traits.get(Knob.KV_BYTES);
        ShardedModel sharded =
                new ShardedModel(row.shape(), row.tensorParallel(), row.fp8() ? 1 : 2, kvBytes);
        String key = device.name() + sharded;
        ProfiledCost kernels = tables.get(key);
        if (kernels == null) {
            kernels = new ProfiledCost(profiles, device, sharded);
            tables.put(key, kernels);
        }
        return new ClosedLoop(
                kernels.with(traits.calibration()),
                traits,
                sharded.kvTokensMax(device, traits.get(Knob.MEMORY_SHARE)),
                row.concurrency(),
                row.promptTokens(),
                row.outputTokens());
    }
}
