package dev.tandem.core;

/// The way of one sequence's KV from the replica that computes its prompt to the one that decodes. The core owns
/// it from the reservation until every hold is released. Any failure ends the lease on both sides; blocks follow as each
/// side reports that it is done.
final class Handoff {
    /// Where a handoff stands. It only moves forward; from each state it may be released.
    enum State {
        /// Blocks on both sides; nothing computed.
        RESERVED,
        /// The lease is granted, chunks are computed and their blocks go out.
        PREFILLING,
        /// The last chunk and the last send are planned.
        STAGED,
        /// The prompt is computed and the first token known; blocks are still on the way.
        MOVING,
        /// The receiver has verified every block, or none had to move.
        COMMITTED,
        /// Over, well or not.
        RELEASED
    }

    final long lease;
    final Sequence sequence;
    final Attempt attempt;
    final Residence from;
    final Residence to;

    /// Tokens whose KV moves or is there already.
    final int tokens;

    /// Leading blocks that the receiver found in its own prefix cache.
    final int presentBlocks;

    /// The receiver has been told of the lease.
    boolean granted;

    /// Blocks of the prompt, counted from its start, that are sent or present.
    int sentBlocks;

    /// When the prompt was computed, 0 = not yet.
    long computedNanos;

    private State state = State.RESERVED;
    private boolean committed;

    Handoff(long lease, Sequence sequence, Attempt attempt, Residence to, int presentBlocks) {
        this.lease = lease;
        this.sequence = sequence;
        this.attempt = attempt;
        this.from = attempt.from;
        this.to = to;
        this.tokens = sequence.known();
        this.presentBlocks = presentBlocks;
        this.sentBlocks = presentBlocks;
    }

    State state() {
        return state;
    }

    /// A state passed already, or left out, is no error: the receiver's word may come before the first token.
    void advance(State next) {
        if (next.ordinal() > state.ordinal()) {
            state = next;
        }
        committed |= next == State.COMMITTED;
    }

    /// Stays true when it is released.
    boolean isCommitted() {
        return committed;
    }

    /// Both the KV and the first token are there.
    boolean isComplete() {
        return committed && sequence.known() > tokens;
    }

    /// Blocks that have to move.
    int blocksToMove() {
        return to.table().size() - presentBlocks;
    }
}
