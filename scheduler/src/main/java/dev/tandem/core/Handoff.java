package dev.tandem.core;

/// The way of one sequence's KV from the replica that computes its prompt to the one that decodes. The core owns
/// it from the reservation until every hold is released:
///
/// reserved (blocks on both sides) → prefilling (lease granted with the first chunk's plan) → moving (last send
/// planned) → committed (the receiver verified every block) → joined (first token known too: the sequence runs on
/// the receiver). Any failure ends the lease on both sides; blocks follow as each side reports that it is done.
final class Handoff {
    final long lease;
    final Sequence sequence;
    final Residence from;
    final Residence to;

    /// Tokens whose KV moves or is there already.
    final int tokens;

    /// Leading blocks that the receiver found in its own prefix cache.
    final int presentBlocks;

    boolean granted;
    boolean committed;

    /// Blocks of the prompt, counted from its start, that are sent or present.
    int sentBlocks;

    Handoff(long lease, Sequence sequence, Residence from, Residence to, int presentBlocks) {
        this.lease = lease;
        this.sequence = sequence;
        this.from = from;
        this.to = to;
        this.tokens = sequence.known();
        this.presentBlocks = presentBlocks;
        this.sentBlocks = presentBlocks;
    }

    /// Blocks that have to move.
    int blocksToMove() {
        return to.table().size() - presentBlocks;
    }
}
