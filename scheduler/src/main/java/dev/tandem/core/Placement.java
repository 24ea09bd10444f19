package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.Comparator;

/// Chooses the replicas of a waiting sequence and reserves its blocks there, all or nothing. Owned by the core.
final class Placement {
    private final CoreOptions options;
    private final CoreCounters counters;
    private long nextLease = 1;

    Placement(CoreOptions options, CoreCounters counters) {
        this.options = options;
        this.counters = counters;
    }

    /// @return true if the sequence lives somewhere now; false if it has to wait
    boolean place(Sequence sequence, Collection<Replica> replicas) {
        Replica decode = decodeReplica(sequence, replicas);
        if (decode == null) {
            return false;
        }
        int tokens = sequence.known();
        int hits = cachedBlocks(decode, sequence, tokens - 1);
        int uncached = tokens - hits * decode.facts().blockTokens();
        Replica prefill = null;
        boolean hasPrefill = false;
        if (!sequence.localOnly
                && decode.facts().role() == ReplicaRole.DECODE
                && uncached > options.localPrefillTokensMax()) {
            for (Replica replica : replicas) {
                hasPrefill |= isPrefillFor(replica, tokens);
            }
            prefill = prefillReplica(sequence, replicas);
        }
        if (prefill != null) {
            return placeDisaggregated(sequence, prefill, decode);
        }
        return !hasPrefill && placeLocal(sequence, decode);
    }

    /// The replica with the fewest sequences for its size among those that have room.
    private @Nullable Replica decodeReplica(Sequence sequence, Collection<Replica> replicas) {
        boolean anyDecode = hasRole(replicas, ReplicaRole.DECODE);
        return replicas.stream()
                .filter(r -> !anyDecode || r.facts().role() == ReplicaRole.DECODE)
                .filter(this::hasSlot)
                .filter(r -> roomFor(r, sequence))
                .min(
                        Comparator.<Replica>comparingDouble(
                                        r -> (double) r.residents.size() / sequencesMax(r))
                                .thenComparingInt(r -> -cachedBlocks(r, sequence, sequence.known()))
                                .thenComparingInt(Replica::id))
                .orElse(null);
    }

    /// The replica behind whose queue the rest of this prompt is done first.
    private @Nullable Replica prefillReplica(Sequence sequence, Collection<Replica> replicas) {
        int tokens = sequence.known();
        return replicas.stream()
                .filter(r -> isPrefillFor(r, tokens))
                .filter(this::hasSlot)
                .filter(r -> roomFor(r, sequence))
                .min(
                        Comparator.<Replica>comparingInt(
                                        r ->
                                                r.pendingPrefillTokens()
                                                        + tokens
                                                        - cachedBlocks(r, sequence, tokens - 1)
                                                                * r.facts().blockTokens())
                                .thenComparingInt(Replica::id))
                .orElse(null);
    }

    private static boolean isPrefillFor(Replica replica, int tokens) {
        return replica.facts().role() == ReplicaRole.PREFILL
                && replica.pool().blocksFor(tokens) <= replica.pool().blocks();
    }

    private static boolean hasRole(Collection<Replica> replicas, ReplicaRole role) {
        for (Replica replica : replicas) {
            if (replica.facts().role() == role) {
                return true;
            }
        }
        return false;
    }

    private int sequencesMax(Replica replica) {
        return Math.min(options.sequencesMax(), replica.facts().sequencesMax());
    }

    private boolean hasSlot(Replica replica) {
        return replica.residents.size() < sequencesMax(replica);
    }

    /// Room for the known tokens and the next one; while others live there, one more block for each of them, or
    /// they would preempt each other at once.
    private boolean roomFor(Replica replica, Sequence sequence) {
        BlockPool pool = replica.pool();
        int needed = pool.blocksFor(sequence.known() + 1);
        int spare = Math.min(replica.residents.size(), pool.blocks() - needed);
        return needed + Math.max(0, spare) <= pool.free() + sharedBlocks(replica, sequence);
    }

    private int sharedBlocks(Replica replica, Sequence sequence) {
        if (!options.prefixCache()) {
            return 0;
        }
        int blockTokens = replica.facts().blockTokens();
        int full = (sequence.known() - 1) / blockTokens;
        return replica.pool().cachedPrefixInUse(sequence.hashes(blockTokens), full);
    }

    private int cachedBlocks(Replica replica, Sequence sequence, int tokens) {
        if (!options.prefixCache()) {
            return 0;
        }
        int blockTokens = replica.facts().blockTokens();
        return replica.pool().cachedPrefix(sequence.hashes(blockTokens), tokens / blockTokens);
    }

    private boolean placeLocal(Sequence sequence, Replica replica) {
        Residence residence = reserve(sequence, replica, sequence.known() - 1);
        if (residence == null) {
            return false;
        }
        residence.planned = residence.indexedBlocks * replica.facts().blockTokens();
        settle(sequence, residence);
        return true;
    }

    private boolean placeDisaggregated(Sequence sequence, Replica prefill, Replica decode) {
        Residence from = reserve(sequence, prefill, sequence.known() - 1);
        if (from == null) {
            return false;
        }
        from.prefillOnly = true;
        from.planned = from.indexedBlocks * prefill.facts().blockTokens();
        if (sequence.tokensMax() - sequence.known() > 1) {
            Residence to = reserve(sequence, decode, sequence.known());
            if (to == null) {
                prefill.pool().release(from.table());
                return false;
            }
            to.ready = false;
            to.planned = sequence.known();
            sequence.handoff = new Handoff(nextLease++, sequence, from, to, to.indexedBlocks);
            decode.residents.add(to);
            counters.handoffs++;
            counters.kvBlocksPresent += to.indexedBlocks;
        }
        settle(sequence, from);
        return true;
    }

    private void settle(Sequence sequence, Residence residence) {
        residence.replica().residents.add(residence);
        sequence.residence = residence;
        sequence.state = Sequence.State.PLACED;
        int hitTokens = residence.indexedBlocks * residence.replica().facts().blockTokens();
        counters.prefixQueriedTokens += sequence.known();
        counters.prefixHitTokens += hitTokens;
        if (sequence.cachedTokens < 0) {
            sequence.cachedTokens = hitTokens;
        }
    }

    /// Takes blocks for all known tokens; `indexedBlocks` of them, at most those of `sharedTokens`, were cached.
    private @Nullable Residence reserve(Sequence sequence, Replica replica, int sharedTokens) {
        Residence residence = new Residence(replica, sequence);
        if (options.prefixCache()) {
            int blockTokens = replica.facts().blockTokens();
            residence.indexedBlocks =
                    replica.pool()
                            .share(
                                    residence.table(),
                                    sequence.hashes(blockTokens),
                                    sharedTokens / blockTokens);
        }
        if (!replica.pool().grow(residence.table(), sequence.known())) {
            replica.pool().release(residence.table());
            return null;
        }
        return residence;
    }
}
