package dev.tandem.sim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tandem.sim.cost.EngineTraits.Knob;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;

/// The small simulators behind the validation, against hand-computed runs, queueing theory and published figures.
class ValidationTest {
    private static final long SEED = Long.getLong("tandem.seed", 1);
    private static final String REPEAT =
            "repeat with -Dtandem.seed=" + SEED + " -Dtest=ValidationTest";
    private static final PhaseQueue.Goal DISTSERVE = new PhaseQueue.Goal(512, 64, 400, 40, 0.9);

    /// 10 ms a step whatever is in it.
    private static final StepCost TEN_MILLIS = shape -> shape.tokens() == 0 ? 0 : 10_000_000;

    @Test
    void prefillAloneIsAnMd1Queue() {
        // at a TTFT limit of the service time alone, the good requests are those that find the
        // queue empty: 1 - rho
        PhaseQueue.Goal noWait = new PhaseQueue.Goal(512, 64, 10, 40, 0.9);
        PhaseQueue queue = new PhaseQueue(TEN_MILLIS, noWait, 1, 50_000, SEED);
        for (double rate : new double[] {10, 30, 60}) {
            assertEquals(
                    1 - rate / 100,
                    queue.attainment(PhaseQueue.Role.PREFILL_ONLY, rate),
                    0.02,
                    REPEAT);
        }
    }

    @Test
    void decodeAloneWaitsForNothingButTheRunningStep() {
        PhaseQueue queue = new PhaseQueue(TEN_MILLIS, DISTSERVE, 1, 1000, SEED);
        assertEquals(
                1,
                queue.attainment(PhaseQueue.Role.DECODE_ONLY, 50),
                REPEAT); // 10 ms steps hold 40 ms at any batch
        PhaseQueue tight =
                new PhaseQueue(
                        TEN_MILLIS, new PhaseQueue.Goal(512, 64, 400, 9, 0.9), 1, 1000, SEED);
        assertEquals(0, tight.attainment(PhaseQueue.Role.DECODE_ONLY, 50), REPEAT);
    }

    @Test
    void workedExample() throws IOException {
        FittedCost published =
                FittedCost.read(
                        Profiles.file("distserve/profiler-a100-80g.distserve.json"),
                        "facebook/opt-13b",
                        1);
        // the released coefficients are of a faster engine than the one behind the paper's first
        // figure
        PhaseQueue queue = new PhaseQueue(published, DISTSERVE, 1, 10_000, SEED);
        double prefill = queue.goodput(PhaseQueue.Role.PREFILL_ONLY);
        double decode = queue.goodput(PhaseQueue.Role.DECODE_ONLY);
        double colocated = queue.goodput(PhaseQueue.Role.COLOCATED);
        assertTrue(
                colocated < prefill && prefill < decode,
                colocated + " " + prefill + " " + decode + "; " + REPEAT);
        assertTrue(
                prefill > 5.6 * 1.5 && decode > 10 * 1.5, prefill + " " + decode + "; " + REPEAT);
        // with both phases slowed to the published single-phase rates, the colocated rate follows
        PhaseQueue slowed =
                new PhaseQueue(published.times(1.577, 1.259), DISTSERVE, 1, 20_000, SEED);
        assertEquals(5.6, slowed.goodput(PhaseQueue.Role.PREFILL_ONLY), 0.2, REPEAT);
        assertEquals(10, slowed.goodput(PhaseQueue.Role.DECODE_ONLY), 0.3, REPEAT);
        assertEquals(1.6, slowed.goodput(PhaseQueue.Role.COLOCATED), 0.16, REPEAT);
    }

    @Test
    void closedLoopByHand() {
        // 2 clients, prompts of 8 in a budget of 8, 3 tokens out. Step 1: prompt A. Step 2 is full
        // with A's decode and 7 tokens of
        // B. Step 3: A's last decode, B's last token. Then 2 decodes of B.
        EngineTraits traits = plain(EngineTraits.Policy.CHUNKED).with(Knob.STEP_TOKENS, 8);
        ClosedLoop run = new ClosedLoop(TEN_MILLIS, traits, 1_000_000, 2, 8, 3);
        assertEquals((10 + 30) / 2.0, run.ttftMillis(), 1e-9);
        assertEquals(10, run.tpotMillis(), 1e-9);
        // alone, B's prompt is step 2, and A's decodes wait for it
        run = new ClosedLoop(TEN_MILLIS, traits.with(Knob.POLICY, 2), 1_000_000, 2, 8, 3);
        assertEquals((10 + 20) / 2.0, run.ttftMillis(), 1e-9);
        assertEquals((15 + 10) / 2.0, run.tpotMillis(), 1e-9);
        // uncut, B's prompt enters step 2 beside A's decode, as the one prompt that a step always
        // takes
        run = new ClosedLoop(TEN_MILLIS, traits.with(Knob.POLICY, 1), 1_000_000, 2, 8, 3);
        assertEquals((10 + 20) / 2.0, run.ttftMillis(), 1e-9);
        assertEquals(10, run.tpotMillis(), 1e-9);
    }

    @Test
    void memoryAndSlotsLimitTheSequences() {
        EngineTraits traits = plain(EngineTraits.Policy.CHUNKED).with(Knob.OUTPUT_RESERVED, 1);
        // one at a time: 10 ms prompt + 4 decodes of 10 ms; the second waits for the first
        double waiting = (10 + 60) / 2.0;
        assertEquals(waiting, new ClosedLoop(TEN_MILLIS, traits, 25, 2, 8, 5).ttftMillis(), 1e-9);
        EngineTraits withheld = traits.with(Knob.SLOTS_WITHHELD, 1);
        assertEquals(
                waiting, new ClosedLoop(TEN_MILLIS, withheld, 1000, 2, 8, 5).ttftMillis(), 1e-9);
        assertEquals(10, new ClosedLoop(TEN_MILLIS, traits, 26, 2, 8, 5).ttftMillis(), 1e-9);
    }

    @Test
    void theFrontAddsItsWorkForEachRequestAndToken() {
        EngineTraits traits =
                plain(EngineTraits.Policy.CHUNKED)
                        .with(Knob.REQUEST_MILLIS, 3)
                        .with(Knob.FRONT_MICROS, 500);
        ClosedLoop run = new ClosedLoop(TEN_MILLIS, traits, 1000, 1, 8, 5);
        assertEquals(3 + 10 + 0.5, run.ttftMillis(), 1e-9);
        assertEquals(10, run.tpotMillis(), 1e-9);
        // a front slower than the device sets the pace
        run = new ClosedLoop(TEN_MILLIS, traits.with(Knob.FRONT_MICROS, 12_000), 1000, 1, 8, 5);
        assertEquals(12, run.tpotMillis(), 1e-9);
    }

    @Test
    void measuredServerWithoutAnyFit() throws IOException {
        List<SiliconRow> rows = SiliconRow.read(Profiles.file("silicon-e2e/silicon_e2e_given.csv"));
        assertEquals(850, rows.size());
        List<SiliconRow> sglang =
                rows.stream()
                        .filter(row -> row.backend().equals("sglang") && row.aggregated())
                        .toList();
        EngineFit fit = new EngineFit(Profiles.file("aiconfigurator"), sglang, SEED);
        EngineFit.Errors errors =
                fit.errors(sglang, EngineTraits.defaults(EngineTraits.Policy.PREFILL_FIRST));
        assertEquals(84, errors.tpot().count());
        assertTrue(
                errors.tpot().quantile(0.5) < 0.06,
                "TPOT median " + errors.tpot().percent(0.5) + " %");
        assertTrue(
                errors.ttft().quantile(0.5) < 0.15,
                "TTFT median " + errors.ttft().percent(0.5) + " %");
    }

    private static EngineTraits plain(EngineTraits.Policy policy) {
        return EngineTraits.defaults(policy).with(Knob.WAVES, 1);
    }
}
