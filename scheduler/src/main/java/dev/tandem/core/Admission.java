package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.concurrent.TimeUnit;

/// Says which sequences are not accepted, and which have waited in vain. Decides, and changes nothing but the time since
/// which a sequence is unserved. Owned by the core.
final class Admission {
    private final CoreOptions options;

    Admission(CoreOptions options) {
        this.options = options;
    }

    /// Why a sequence can't be accepted, or null. One that fits no pool would preempt itself for ever.
    Commands.@Nullable Failed refusal(
            Event.Submit submit, WaitingQueue waiting, Collection<Replica> replicas) {
        int tokens = submit.prompt().length();
        long needed = (long) tokens + submit.maxTokens();
        long largest = largestPoolTokens(replicas);
        if (!replicas.isEmpty() && needed > largest) {
            return new Commands.Failed(
                    submit.sequence(),
                    ErrorCategory.USER,
                    "context_length_exceeded",
                    "The request needs KV blocks for %d tokens, the largest worker has room for %d."
                            .formatted(needed, largest),
                    0);
        }
        if (waiting.size() >= options.queuedSequencesMax()
                || waiting.tokens() + tokens > options.queuedTokensMax()) {
            return new Commands.Failed(
                    submit.sequence(),
                    ErrorCategory.CAPACITY,
                    "rate_limit_exceeded",
                    "The queue is full: %d requests with %d tokens are waiting."
                            .formatted(waiting.size(), waiting.tokens()),
                    0);
        }
        return null;
    }

    /// Sequences wait for room without a limit of their own, but not for workers that are not there.
    ///
    /// @return why the sequence fails now, or null
    Commands.@Nullable Failed unserved(
            Sequence sequence, Collection<Replica> replicas, long nowNanos) {
        if (sequence.tokensMax() <= largestPoolTokens(replicas)) {
            sequence.unservedSinceNanos = 0;
            return null;
        }
        if (sequence.unservedSinceNanos == 0) {
            sequence.unservedSinceNanos = nowNanos == 0 ? 1 : nowNanos;
        }
        long waitMillis = TimeUnit.NANOSECONDS.toMillis(nowNanos - sequence.unservedSinceNanos);
        if (waitMillis < options.unservedMillisMax()) {
            return null;
        }
        return new Commands.Failed(
                sequence.id(),
                ErrorCategory.CAPACITY,
                "service_unavailable",
                "No worker that can serve this request has been up for %d ms."
                        .formatted(waitMillis),
                0);
    }

    private static long largestPoolTokens(Collection<Replica> replicas) {
        long largest = 0;
        for (Replica replica : replicas) {
            long tokens = (long) replica.pool().blocks() * replica.facts().blockTokens();
            largest = Math.max(largest, tokens);
        }
        return largest;
    }
}
