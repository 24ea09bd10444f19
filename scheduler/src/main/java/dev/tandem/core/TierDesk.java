package dev.tandem.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Keeps what the pools evict: has the workers copy their oldest free blocks aside before they are taken for something
/// else, and back when a prompt begins with them and computing them again is predicted to take longer. Neither is part of
/// a step: blocks are copied by a thread of the worker's own, held meanwhile, and a prompt waits for its prefix as for one
/// from another replica ([PrefixFetches]). Owned by the core.
final class TierDesk {
    /// Free blocks looked at, oldest first; beyond, there is time.
    private static final int LOOKS_MAX = 64;

    private static final int STORED_AT_ONCE_MAX = 16;

    /// Of the pool that may be held for storing: the rest is for those who compute.
    private static final int HELD_PART = 8;

    /// A tier that needs longer to answer is stuck, and its worker with it: blocks would be held for ever.
    static final int SILENT_MILLIS_MAX = 60_000;

    private static final int LOADED_BLOCKS_MIN = 2;
    private static final double BYTES_PER_SECOND = 2e9;
    private static final int WORDS = PrefixHasher.WORDS;

    private final PlacementOptions rules;
    private final CoreCounters counters;
    private final Commands commands;
    private final int[] oldest = new int[STORED_AT_ONCE_MAX];

    TierDesk(CoreOptions options, CoreCounters counters, Commands commands) {
        this.rules = options.placement();
        this.counters = counters;
        this.commands = commands;
    }

    // ---- out ----

    /// Has the replica's oldest cached free blocks copied aside, unless they are.
    void storeOldest(Replica replica, long nowNanos) {
        Tier tier = replica.tier;
        if (tier == null || !tier.isLookDue || tier.isStoring()) {
            return;
        }
        tier.isLookDue = false;
        int most = Math.min(oldest.length, replica.pool().blocks() / HELD_PART);
        int count = replica.pool().holdOldest(tier, LOOKS_MAX, most, oldest);
        if (count == 0) {
            return;
        }
        int[] blocks = Arrays.copyOf(oldest, count);
        long[] hashes = replica.pool().hashesOf(blocks);
        long request = tier.nextRequest();
        tier.store(request, blocks, hashes, nowNanos);
        commands.tiers().add(new Commands.TierRequest(replica, request, false, blocks, hashes));
    }

    // ---- back ----

    /// Predicted seconds until the prompt is computed on this replica with what its tier has; infinite if that is no help.
    double seconds(RouteQuestion question, Sequence sequence, Replica replica) {
        int here = question.cachedTokens(replica) / replica.facts().blockTokens();
        int blocks = blocksBehind(sequence, replica, here);
        if (blocks < LOADED_BLOCKS_MIN) {
            return Double.POSITIVE_INFINITY;
        }
        int tokens = (here + blocks) * replica.facts().blockTokens();
        return loadSeconds(replica, blocks)
                + replica.prefillSeconds(tokens, sequence.known() - tokens);
    }

    /// Blocks of the prompt that the tier has, following the first `here`.
    private int blocksBehind(Sequence sequence, Replica replica, int here) {
        Tier tier = replica.tier;
        if (tier == null
                || tier.blocks() == 0
                || rules.fetchMillisMax() == 0
                || sequence.fetchBarred) {
            return 0;
        }
        int blockTokens = replica.facts().blockTokens();
        int full = (sequence.known() - 1) / blockTokens;
        long[] hashes = sequence.hashes(blockTokens);
        int blocks = 0;
        while (here + blocks < full && tier.has(hashes, here + blocks)) {
            blocks++;
        }
        return blocks;
    }

    private static double loadSeconds(Replica replica, int blocks) {
        Tier tier = replica.tier;
        double bytes =
                replica.facts().device().kvBytesPerToken() * replica.facts().blockTokens() * blocks;
        return tier == null ? 0 : bytes / BYTES_PER_SECOND * tier.ratio.value();
    }

    /// Begins to bring a prefix back for an attempt that is not settled yet: its residence then waits.
    void begin(Sequence sequence, Attempt attempt, long nowNanos) {
        Residence to = attempt.from;
        Replica replica = to.replica();
        Tier tier = replica.tier;
        int here = to.indexedBlocks;
        int blocks = blocksBehind(sequence, replica, here);
        if (tier == null || blocks == 0) {
            return;
        }
        int[] target = Arrays.copyOf(to.table().copyFrom(here), blocks);
        long[] hashes =
                Arrays.copyOfRange(
                        sequence.hashes(replica.facts().blockTokens()),
                        here * WORDS,
                        (here + blocks) * WORDS);
        long request = tier.nextRequest();
        tier.load(
                new Tier.Load(
                        request,
                        to,
                        here,
                        blocks,
                        hashes,
                        nowNanos,
                        nowNanos + rules.fetchMillisMax() * 1_000_000L,
                        loadSeconds(replica, blocks)));
        to.tierOpen = true;
        to.stage = Residence.Stage.ARRIVING;
        to.awaitedTokens = (here + blocks) * replica.facts().blockTokens();
        commands.tiers().add(new Commands.TierRequest(replica, request, true, target, hashes));
        counters.tierLoads++;
    }

    /// Takes in what a worker says.
    ///
    /// @return the residence whose wait is over, with its `planned` set, or null
    @Nullable Residence report(Replica replica, Event.TierReport report, long nowNanos) {
        Tier tier = replica.tier;
        if (tier == null) {
            return null;
        }
        int[] held = tier.storeEnded(report.request(), report.blocks());
        if (held.length > 0) {
            counters.tierStoredBlocks += Math.clamp(report.blocks(), 0, held.length);
            replica.pool().letGo(held);
            replica.mark();
        }
        Tier.Load load = tier.loadEnded(report.request());
        tier.heard(report.stored(), report.dropped()); // what was stored may be dropped already
        if (load == null) {
            return null;
        }
        int back = Math.clamp(report.blocks(), 0, load.blocks());
        Residence to = load.to();
        to.tierOpen = false;
        if (back < load.blocks()) {
            tier.missing(load.hashes()[back * WORDS]);
        }
        replica.mark();
        if (back == load.blocks()) {
            tier.ratio.observe((nowNanos - load.beganNanos()) * 1e-9, load.predictedSeconds());
        }
        counters.tierLoadedTokens += (long) back * replica.facts().blockTokens();
        if (to.sequence == null || to.stage != Residence.Stage.ARRIVING) {
            return null; // it has left; its blocks can go now
        }
        to.planned = (load.presentBlocks() + back) * replica.facts().blockTokens();
        return to;
    }

    /// Whether the worker's tier has not answered for so long that the worker can't be trusted: it holds blocks for ever.
    static boolean isStuck(Replica replica, long nowNanos) {
        return replica.tier != null
                && replica.tier.isSilentSince(
                        nowNanos - TimeUnit.MILLISECONDS.toNanos(SILENT_MILLIS_MAX));
    }

    /// Who has waited for too long.
    List<Residence> overdue(Replica replica, long nowNanos) {
        Tier tier = replica.tier;
        if (tier == null || !tier.isLoading()) {
            return List.of();
        }
        List<Residence> late = new ArrayList<>();
        for (Tier.Load load : tier.loads()) {
            Residence to = load.to();
            if (nowNanos >= load.endNanos()
                    && to.sequence != null
                    && to.stage == Residence.Stage.ARRIVING) {
                late.add(to);
            }
        }
        late.sort((a, b) -> Long.compare(a.sequenceId(), b.sequenceId()));
        return late;
    }
}
