package dev.tandem.coordinator;

import dev.tandem.api.GenerationService.TokenSink;

/// A submitted sequence's sink and its times. Owned by the agent.
final class ActiveRequest {
    private final TokenSink sink;
    private final long submittedNanos;
    private long firstTokenNanos;
    private long lastTokenNanos;

    ActiveRequest(TokenSink sink, long submittedNanos) {
        this.sink = sink;
        this.submittedNanos = submittedNanos;
    }

    TokenSink sink() {
        return sink;
    }

    long submittedNanos() {
        return submittedNanos;
    }

    long firstTokenNanos() {
        return firstTokenNanos;
    }

    /// @return whether it is the first one
    boolean token(ServingMetrics metrics, long now) {
        boolean first = firstTokenNanos == 0;
        if (first) {
            firstTokenNanos = now;
            metrics.timeToFirstToken(now - submittedNanos);
        } else {
            metrics.interTokenLatency(now - lastTokenNanos);
        }
        lastTokenNanos = now;
        return first;
    }
}
