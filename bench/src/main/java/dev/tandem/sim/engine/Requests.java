package dev.tandem.sim.engine;

import dev.tandem.core.Commands;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.SimulationObserver;

import java.util.Arrays;

/// The clients: what each has got so far, and how it ended. Holds the core to one answer per request. Owned by the simulation.
final class Requests {
    private static final byte OPEN = 1;
    private static final byte ENDED = 2;
    private static final byte CANCELLED = 3;

    private final SimulationObserver[] observers;

    /// By sequence.
    private byte[] states = new byte[1024];

    private long submitted;
    private long completed;
    private long refused;
    private long failedUser;
    private long failedInternal;
    private long cancelled;
    private long outputTokens;

    Requests(SimulationObserver[] observers) {
        this.observers = observers;
    }

    /// @return its number
    long arrived(Arrival arrival, long nanos) {
        long sequence = ++submitted;
        if (sequence == states.length) {
            states = Arrays.copyOf(states, states.length * 2);
        }
        states[(int) sequence] = OPEN;
        for (SimulationObserver observer : observers) {
            observer.arrived(sequence, arrival, nanos);
        }
        return sequence;
    }

    void token(long sequence, int token, long nanos) {
        if (states[(int) sequence] != OPEN) {
            throw new BrokenPromiseException(
                    "a token of sequence %d after its end".formatted(sequence));
        }
        outputTokens++;
        for (SimulationObserver observer : observers) {
            observer.token(sequence, nanos);
        }
    }

    void finished(Commands.Finished finished, long nanos) {
        long sequence = finished.sequence();
        end(sequence, ENDED);
        completed++;
        for (SimulationObserver observer : observers) {
            observer.finished(sequence, nanos);
        }
    }

    void failed(Commands.Failed failed, long nanos) {
        end(failed.sequence(), ENDED);
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

    private void end(long sequence, byte how) {
        if (states[(int) sequence] != OPEN) {
            throw new BrokenPromiseException("sequence %d ends twice".formatted(sequence));
        }
        states[(int) sequence] = how;
    }

    /// @return false when it has ended before
    boolean cancelled(long sequence, long nanos) {
        if (states[(int) sequence] != OPEN) {
            return false;
        }
        states[(int) sequence] = CANCELLED;
        cancelled++;
        for (SimulationObserver observer : observers) {
            observer.cancelled(sequence, nanos);
        }
        return true;
    }

    SimulationResult result(
            long decisionHash,
            Agenda agenda,
            long wallNanos,
            long steps,
            long computedTokens,
            int unfinished) {
        return new SimulationResult(
                submitted,
                completed,
                refused,
                failedUser,
                failedInternal,
                cancelled,
                unfinished,
                decisionHash,
                agenda.lastNanos(),
                wallNanos,
                agenda.events(),
                steps,
                computedTokens,
                outputTokens);
    }
}
