package dev.tandem.core;

import java.util.Arrays;

/// The way of one sequence's KV to another replica: from the one that computes its prompt to the one that decodes, or,
/// for a prefix, from one that has it cached to the one that computes the rest ([PrefixFetches]). The core owns
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

    /// When a fetch began.
    long beganNanos;

    /// How long a fetch was to take.
    double predictedSeconds;

    /// Blocks of the receiver's table whose KV moves or is there already.
    private final int endBlock;

    private State state = State.RESERVED;
    private boolean committed;

    private Handoff(
            long lease,
            Sequence sequence,
            Attempt attempt,
            Residence from,
            Residence to,
            int endBlock,
            int tokens) {
        this.lease = lease;
        this.sequence = sequence;
        this.attempt = attempt;
        this.from = from;
        this.to = to;
        this.endBlock = endBlock;
        this.tokens = tokens;
        this.presentBlocks = to.indexedBlocks;
        this.sentBlocks = presentBlocks;
    }

    /// Of a prompt, computed by the attempt, to where it decodes.
    static Handoff ofPrompt(long lease, Sequence sequence, Attempt attempt, Residence to) {
        return new Handoff(
                lease, sequence, attempt, attempt.from, to, to.table().size(), sequence.known());
    }

    /// Of a cached prefix to where the attempt computes the rest.
    ///
    /// @param blocks of the prefix, those that the receiver has included
    static Handoff ofPrefix(
            long lease,
            Sequence sequence,
            Attempt attempt,
            Residence lender,
            int blocks,
            int tokens) {
        return new Handoff(lease, sequence, attempt, lender, attempt.from, blocks, tokens);
    }

    /// Whether it brings a prefix to where the rest is computed.
    boolean isFetch() {
        return to == attempt.from;
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

    /// The receiver's blocks that the lease is about.
    int[] leasedBlocks() {
        return Arrays.copyOf(to.table().copyFrom(presentBlocks), blocksToMove());
    }

    int endBlock() {
        return endBlock;
    }

    /// Blocks that have to move.
    int blocksToMove() {
        return endBlock - presentBlocks;
    }
}
