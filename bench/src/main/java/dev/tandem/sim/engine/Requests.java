package dev.tandem.sim.engine;

import dev.tandem.core.Commands;
import dev.tandem.core.CoreSnapshot;
import dev.tandem.core.Event;
import dev.tandem.core.SamplingParameters;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// The clients: what each has got so far, and how it ended. Holds the core to one answer per request. Owned by the simulation.
final class Requests {
    private static final byte OPEN = 1;
    private static final byte ENDED = 2;
    private static final byte CANCELLED = 3;

    private static final int STOP_TOKENS_MAX = 30;
    private static final SamplingParameters GREEDY = SamplingParameters.greedy();

    private final SimulationObserver[] observers;
    private final @Nullable TokenOracle oracle;
    private final @Nullable Excuses excuses;
    private final long seed;

    /// By sequence.
    private byte[] states = new byte[1024];

    private long submitted;
    private long completed;
    private long refused;
    private long failedUser;
    private long failedInternal;
    private long cancelled;
    private long outputTokens;
    private long open;
    private @Nullable String firstFailure;

    /// All before this one have ended.
    private long oldest = 1;

    /// @param oracle knows the right tokens; null where they are made up
    /// @param seed of what a checked request is drawn with
    /// @param excuses knows which requests may fail; null where nobody asks
    Requests(
            SimulationObserver[] observers,
            @Nullable TokenOracle oracle,
            @Nullable Excuses excuses,
            long seed) {
        this.excuses = excuses;
        this.observers = observers;
        this.oracle = oracle;
        this.seed = seed;
    }

    /// Those without an answer.
    long open() {
        return open;
    }

    /// The first one without an answer; one more than were submitted if there is none.
    long oldest() {
        while (oldest <= submitted && states[(int) oldest] != OPEN) {
            oldest++;
        }
        return oldest;
    }

    Event.Submit arrived(Arrival arrival, long nanos) {
        long sequence = ++submitted;
        if (sequence == states.length) {
            states = Arrays.copyOf(states, states.length * 2);
        }
        states[(int) sequence] = OPEN;
        open++;
        for (SimulationObserver observer : observers) {
            observer.arrived(sequence, arrival, nanos);
        }
        if (excuses != null) {
            excuses.submitted(sequence, arrival.terms());
        }
        if (oracle == null) {
            return submit(sequence, arrival, GREEDY, Set.of());
        }
        // Drawn from the arrival, not from its number: taking others out leaves it as it is.
        long key = CheckedKv.mix(seed ^ CheckedKv.mix(arrival.nanos()) + arrival.prompt().length());
        SamplingParameters sampling =
                new SamplingParameters(1, 0, 1, 0, 1, 0, 0, key, Map.of(), false, 0);
        Set<Integer> stops = new HashSet<>();
        for (long i = Math.floorMod(key, STOP_TOKENS_MAX); i > 0; i--) {
            stops.add((int) Math.floorMod(CheckedKv.mix(key + i), (long) CheckedKv.VOCABULARY));
        }
        Event.Submit submit = submit(sequence, arrival, sampling, stops);
        oracle.submitted(submit);
        return submit;
    }

    private static Event.Submit submit(
            long sequence, Arrival arrival, SamplingParameters sampling, Set<Integer> stops) {
        return new Event.Submit(
                sequence,
                arrival.prompt(),
                arrival.outputTokens(),
                sampling,
                stops,
                arrival.terms());
    }

    void token(long sequence, int token, long nanos) {
        if (states[(int) sequence] != OPEN) {
            throw new BrokenPromiseException(
                    "a token of sequence %d after its end".formatted(sequence));
        }
        if (oracle != null) {
            oracle.token(sequence, token);
        }
        if (excuses != null) {
            excuses.token(sequence);
        }
        outputTokens++;
        for (SimulationObserver observer : observers) {
            observer.token(sequence, nanos);
        }
    }

    void finished(Commands.Finished finished, long nanos) {
        long sequence = finished.sequence();
        end(sequence, ENDED);
        forget(sequence);
        if (oracle != null) {
            oracle.finished(sequence, finished.reason());
        }
        completed++;
        for (SimulationObserver observer : observers) {
            observer.finished(sequence, nanos);
        }
    }

    void failed(Commands.Failed failed, long nanos) {
        end(failed.sequence(), ENDED);
        String problem = excuses == null ? null : excuses.problem(failed);
        if (firstFailure == null && problem != null) {
            firstFailure = problem + ": " + failed;
        }
        forget(failed.sequence());
        if (oracle != null) {
            oracle.gone(failed.sequence());
        }
        switch (failed.category()) {
            case USER -> failedUser++;
            case CAPACITY -> refused++;
            case INTERNAL -> failedInternal++;
        }
        for (SimulationObserver observer : observers) {
            observer.failed(
                    failed.sequence(),
                    failed.category(),
                    failed.code(),
                    failed.retryAfterMillis(),
                    nanos);
        }
    }

    private void forget(long sequence) {
        if (excuses != null) {
            excuses.gone(sequence);
        }
    }

    private void end(long sequence, byte how) {
        if (states[(int) sequence] != OPEN) {
            throw new BrokenPromiseException("sequence %d ends twice".formatted(sequence));
        }
        states[(int) sequence] = how;
        open--;
    }

    /// @return false when it has ended before
    boolean cancelled(long sequence, long nanos) {
        if (states[(int) sequence] != OPEN) {
            return false;
        }
        end(sequence, CANCELLED);
        forget(sequence);
        if (oracle != null) {
            oracle.gone(sequence);
        }
        cancelled++;
        for (SimulationObserver observer : observers) {
            observer.cancelled(sequence, nanos);
        }
        return true;
    }

    SimulationResult result(
            long decisionHash,
            Agenda agenda,
            Fleet fleet,
            long wallNanos,
            long cpuNanos,
            CoreSnapshot snapshot) {
        long blocksHeld = 0;
        for (CoreSnapshot.ReplicaSnapshot replica : snapshot.replicas()) {
            blocksHeld += replica.blocksUsed();
        }
        return new SimulationResult(
                submitted,
                completed,
                refused,
                failedUser,
                failedInternal,
                cancelled,
                open,
                blocksHeld,
                decisionHash,
                agenda.lastNanos(),
                wallNanos,
                cpuNanos,
                agenda.events(),
                fleet.steps,
                fleet.computedTokens,
                outputTokens,
                snapshot.totals());
    }

    /// The first one that failed without an excuse.
    @Nullable String firstFailure() {
        return firstFailure;
    }
}
