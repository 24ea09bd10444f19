package dev.tandem.core;

import org.jspecify.annotations.Nullable;

/// One placement of a sequence: where its tokens are computed, and, when it decodes elsewhere, the way there. Owned by the
/// core.
final class Attempt {
    final Residence from;
    @Nullable Handoff handoff;

    /// What `from` waits for before it computes, null if it waits for nothing.
    @Nullable Handoff fetch;

    final long placedNanos;

    /// Predicted seconds from the placement to the next token.
    final double predictedSeconds;

    /// A token was sampled, so the replicas have been judged by it.
    boolean judged;

    Attempt(Residence from, long placedNanos, double predictedSeconds) {
        this.from = from;
        this.placedNanos = placedNanos;
        this.predictedSeconds = predictedSeconds;
    }
}
