package dev.tandem.bench;

import dev.tandem.core.Commands;
import dev.tandem.core.Event;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

import java.util.concurrent.TimeUnit;

/// One step of the scheduler with all policies: a result in, the next plan out, over sequences that all decode
/// ([SteadyDecode]). Aims: p99 at most 10, 40 and 160 us, and no byte allocated. vLLM v1's scheduler on the same kind
/// of machine: 2.9, 15 and 66 ms.
///
/// Bytes are told at the end of each run; JMH's own `-prof gc` counts what the benchmark allocates between two steps too.
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(1)
public class SchedulerStepBenchmark {
    private static final int STEPS_AT_ONCE = 2_000;

    @Param({"256", "1024", "4096"})
    int sequences;

    private SteadyDecode world = new SteadyDecode(1, 1);
    private Event.StepDone result = world.nextResult();

    @Setup(Level.Trial)
    public void setUp() {
        world = new SteadyDecode(sequences, STEPS_AT_ONCE);
    }

    @Setup(Level.Invocation)
    public void nextResult() {
        if (world.stepsLeft() == 0) {
            world = new SteadyDecode(sequences, STEPS_AT_ONCE);
        }
        result = world.nextResult();
    }

    @Benchmark
    public Commands step() {
        Commands commands = world.apply(result);
        world.take(commands);
        return commands;
    }

    @TearDown(Level.Trial)
    public void tellBytes() {
        System.out.printf("%,d sequences: %s%n", sequences, StepAllocation.count(sequences, 1));
    }
}
