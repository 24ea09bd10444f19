package dev.tandem.core;

import dev.tandem.admission.FairQueue.Decision;
import dev.tandem.batching.BatchingOptions;
import dev.tandem.core.PlacementOptions.Roles;
import dev.tandem.routing.Candidates;
import dev.tandem.routing.Router;

import org.jspecify.annotations.Nullable;

/// Chooses the replicas of a waiting sequence and reserves its blocks there, all or nothing.
///
/// Placement is late: a replica takes a further prompt only while it has less to compute than its next step holds, so
/// the order of the queue, not that of arrival at some replica, decides who is served. A prompt for a decode replica waits
/// in the queue until that replica has a slot, free blocks and staging credits for it: prefill is gated by what decode can
/// take (a tandem queue), and no prefill replica strands KV that nobody takes.
///
/// Owned by the core.
final class Placement {
    /// So few prompt tokens are never too many ahead: a device needs some to be busy.
    private static final int AHEAD_TOKENS_MIN = 512;

    private final CoreOptions options;
    private final double aheadSecondsMax;
    private final PlacementOptions rules;
    private final CoreCounters counters;
    private final Router router;
    private final HandoffDesk handoffs;
    private final PrefixFetches fetches;
    private final TierDesk tiers;
    private final RouteQuestion question;
    private final Candidates decodeCandidates = new Candidates();
    private final Candidates prefillCandidates = new Candidates();
    private Replica[] replicas = {};
    private boolean hasDecodeRole;
    private boolean hasPrefillRole;
    private long nowNanos;

    Placement(
            CoreOptions options,
            CoreCounters counters,
            Router router,
            HandoffDesk handoffs,
            PrefixFetches fetches,
            TierDesk tiers) {
        this.options = options;
        this.rules = options.placement();
        this.aheadSecondsMax =
                options.batching().budget() == BatchingOptions.Budget.FIXED
                        ? Double.POSITIVE_INFINITY
                        : options.stepMillis() * options.batching().tpotShare() * 1e-3;
        this.counters = counters;
        this.router = router;
        this.handoffs = handoffs;
        this.fetches = fetches;
        this.tiers = tiers;
        this.question = new RouteQuestion(options, handoffs, fetches, tiers);
    }

    /// After joins and losses.
    ///
    /// @param all sorted by id
    void replicasChanged(Replica[] all) {
        replicas = all;
        fetches.replicasChanged(all);
        hasDecodeRole = false;
        hasPrefillRole = false;
        for (Replica replica : all) {
            hasDecodeRole |= replica.facts().role() == ReplicaRole.DECODE;
            hasPrefillRole |= replica.facts().role() == ReplicaRole.PREFILL;
        }
        Candidates members = new Candidates();
        for (Replica replica : all) {
            if (mayDecode(replica)) {
                members.add(replica);
            }
        }
        router.replicasChanged(Router.DECODE_POOL, members);
        members.clear();
        for (Replica replica : all) {
            if (mayPrefill(replica)) {
                members.add(replica);
            }
        }
        router.replicasChanged(Router.PREFILL_POOL, members);
    }

    /// The pool of a replica in the router's book.
    int poolOf(ReplicaFacts facts) {
        return rules.roles() != Roles.MIXED && facts.role() == ReplicaRole.DECODE
                ? Router.DECODE_POOL
                : Router.PREFILL_POOL;
    }

    /// Whether any replica may take a prompt now; if not, no look at the queue is worth its time.
    boolean isOpen() {
        boolean decodes = false;
        boolean prefills = false;
        for (Replica replica : replicas) {
            if (hasSlot(replica)) {
                boolean ready = takesPrompt(replica);
                decodes |= mayDecode(replica) || (ready && rules.roles() == Roles.ELASTIC);
                prefills |= ready;
            }
        }
        return decodes && prefills;
    }

    /// @return TAKE: it lives somewhere now; SKIP: it has to wait
    Decision place(Sequence sequence, long now) {
        nowNanos = now;
        question.about(sequence, sequence.terms().zone());
        Replica decode = chooseDecode(sequence);
        Decision decision;
        if (decode != null) {
            decision = placeWith(sequence, decode);
        } else {
            Replica overflow = rules.roles() == Roles.ELASTIC ? chooseOverflow(sequence) : null;
            decision = overflow == null ? Decision.SKIP : placeLocal(sequence, overflow);
        }
        return decision;
    }

    private Decision placeWith(Sequence sequence, Replica decode) {
        int uncached = sequence.known() - question.cachedTokens(decode);
        boolean mayHandOver =
                rules.roles() != Roles.MIXED
                        && hasPrefillRole
                        && decode.facts().role() == ReplicaRole.DECODE
                        && !sequence.localOnly
                        && uncached > rules.localPrefillTokensMax();
        if (!mayHandOver) {
            return placeLocal(sequence, decode);
        }
        question.preferZone(decode.facts().zone());
        Replica prefill = choosePrefill(sequence, null);
        if (prefill == null) {
            if (!anyPrefillFits(sequence)) {
                return placeLocal(sequence, decode);
            }
            router.abandoned(decode.health(), sequence.id());
            return Decision.SKIP;
        }
        if (rules.predictLocal()
                && takesPrompt(decode)
                && seconds(decode) < seconds(prefill) + question.transferSeconds(prefill)) {
            router.abandoned(prefill.health(), sequence.id());
            return placeLocal(sequence, decode);
        }
        return placeHandingOver(sequence, prefill, decode);
    }

    private double seconds(Replica replica) {
        return replica.queueSeconds() + question.prefillSeconds(replica);
    }

    // ---- candidates ----

    private @Nullable Replica chooseDecode(Sequence sequence) {
        decodeCandidates.clear();
        boolean mixed = rules.roles() == Roles.MIXED;
        for (Replica replica : replicas) {
            if (mayDecode(replica)
                    && serves(replica, sequence)
                    && hasSlot(replica)
                    && (!mixed || takesPrompt(replica))
                    && roomFor(replica, sequence)) {
                decodeCandidates.add(replica);
            }
        }
        int pool = mixed ? Router.PREFILL_POOL : Router.DECODE_POOL;
        int chosen = router.choose(pool, question, decodeCandidates, nowNanos);
        return chosen < 0 ? null : (Replica) decodeCandidates.get(chosen);
    }

    private @Nullable Replica choosePrefill(Sequence sequence, @Nullable Replica besides) {
        prefillCandidates.clear();
        for (Replica replica : replicas) {
            if (replica != besides
                    && mayPrefill(replica)
                    && serves(replica, sequence)
                    && hasSlot(replica)
                    && takesPrompt(replica)
                    && roomFor(replica, sequence)) {
                prefillCandidates.add(replica);
            }
        }
        int chosen = router.choose(Router.PREFILL_POOL, question, prefillCandidates, nowNanos);
        return chosen < 0 ? null : (Replica) prefillCandidates.get(chosen);
    }

    /// A prefill replica that decodes what no decode replica has room for: the one that does so most already, so that
    /// the others keep their steps to prompts.
    private @Nullable Replica chooseOverflow(Sequence sequence) {
        Replica best = null;
        for (Replica replica : replicas) {
            if (mayPrefill(replica)
                    && serves(replica, sequence)
                    && hasSlot(replica)
                    && takesPrompt(replica)
                    && roomFor(replica, sequence)
                    && (best == null || replica.running.size() > best.running.size())) {
                best = replica;
            }
        }
        return best;
    }

    private boolean anyPrefillFits(Sequence sequence) {
        for (Replica replica : replicas) {
            if (mayPrefill(replica)
                    && serves(replica, sequence)
                    && replica.pool().blocksFor(sequence.known()) <= replica.pool().blocks()) {
                return true;
            }
        }
        return false;
    }

    private boolean mayDecode(Replica replica) {
        return rules.roles() == Roles.MIXED
                || !hasDecodeRole
                || replica.facts().role() == ReplicaRole.DECODE;
    }

    private boolean mayPrefill(Replica replica) {
        return rules.roles() == Roles.MIXED || replica.facts().role() == ReplicaRole.PREFILL;
    }

    private static boolean serves(Replica replica, Sequence sequence) {
        String model = sequence.terms().model();
        return model.isEmpty()
                || replica.facts().model().isEmpty()
                || model.equals(replica.facts().model());
    }

    private static boolean hasSlot(Replica replica) {
        return replica.sequences() < replica.sequencesMax();
    }

    /// Its next step has room for more than what it has to compute already: in tokens, and where steps are bounded by time,
    /// in time. What waits in the queue instead goes by rank and by whoever is free first, and can still be refused.
    private boolean takesPrompt(Replica replica) {
        int pending = replica.pendingPrefillTokens();
        if (rules.aheadTokensMax() > 0) {
            return pending < rules.aheadTokensMax();
        }
        return pending < AHEAD_TOKENS_MIN
                || (pending < replica.stepTokensMax() && replica.queueSeconds() < aheadSecondsMax);
    }

    /// Room for the known tokens and a share of what will probably follow; while others live there, one more block for
    /// each of them, or they would preempt each other at once. On an empty replica whatever fits may start.
    private boolean roomFor(Replica replica, Sequence sequence) {
        BlockPool pool = replica.pool();
        int needed = pool.blocksFor(sequence.known() + 1);
        int others = replica.sequences();
        if (others > 0) {
            int left = sequence.tokensMax() - sequence.known();
            int expected = sequence.workload().expectedOutputTokens(left);
            int growth = (int) (rules.growthShare() * expected);
            int wanted = pool.blocksFor(sequence.known() + 1 + growth) + others;
            needed = Math.max(needed, Math.min(wanted, pool.blocks()));
        }
        return needed <= pool.free() || needed <= pool.free() + sharedBlocks(replica, sequence);
    }

    private int sharedBlocks(Replica replica, Sequence sequence) {
        if (!options.prefixCache()) {
            return 0;
        }
        int blockTokens = replica.facts().blockTokens();
        int full = (sequence.known() - 1) / blockTokens;
        return replica.pool().cachedPrefixInUse(sequence.hashes(blockTokens), full);
    }

    private boolean hasCredits(Replica replica, Sequence sequence) {
        int needed = replica.pool().blocksFor(sequence.known());
        return replica.stagedBlocks == 0
                || replica.stagedBlocks + needed <= rules.stagingShare() * replica.pool().blocks();
    }

    // ---- reservations ----

    private Decision placeLocal(Sequence sequence, Replica replica) {
        if (!takesPrompt(replica)) {
            router.abandoned(replica.health(), sequence.id());
            return Decision.SKIP;
        }
        double predicted = seconds(replica);
        Residence residence =
                reserve(sequence, replica, sequence.known() - 1, Residence.Stage.PREFILL);
        if (residence == null) {
            router.abandoned(replica.health(), sequence.id());
            return Decision.SKIP;
        }
        residence.planned = residence.indexedBlocks * replica.facts().blockTokens();
        Attempt attempt = new Attempt(residence, nowNanos, predicted);
        bringPrefix(sequence, attempt);
        settle(sequence, attempt);
        return Decision.TAKE;
    }

    /// What is not cached where the prompt is computed may come from the tier there or from another replica, if that is
    /// faster than to compute it.
    private void bringPrefix(Sequence sequence, Attempt attempt) {
        Replica replica = attempt.from.replica();
        if (!hasCredits(replica, sequence)) {
            return;
        }
        int here = question.cachedTokens(replica);
        double computed = replica.prefillSeconds(here, sequence.known() - here);
        double fetched = fetches.seconds(question, sequence, replica);
        double loaded = tiers.seconds(question, sequence, replica);
        if (loaded < computed && loaded <= fetched) {
            tiers.begin(sequence, attempt, nowNanos);
        } else if (fetched < computed) {
            fetches.begin(question, sequence, attempt, nowNanos);
        }
    }

    private Decision placeHandingOver(Sequence sequence, Replica prefill, Replica decode) {
        Attempt attempt = hasCredits(decode, sequence) ? handOver(sequence, prefill, decode) : null;
        if (attempt == null) {
            router.abandoned(prefill.health(), sequence.id());
            router.abandoned(decode.health(), sequence.id());
            return Decision.SKIP;
        }
        settle(sequence, attempt);
        return Decision.TAKE;
    }

    /// Starts the prefill of a placed sequence a second time, on another replica.
    ///
    /// @return false if there is none that could
    boolean placeHedge(Sequence sequence, long now) {
        nowNanos = now;
        Attempt first = sequence.attempt;
        boolean placed = false;
        if (first != null && first.handoff != null) {
            Replica decode = first.handoff.to.replica();
            question.about(sequence, decode.facts().zone());
            Replica prefill = choosePrefill(sequence, first.from.replica());
            if (prefill != null) {
                Attempt second =
                        hasSlot(decode) && roomFor(decode, sequence) && hasCredits(decode, sequence)
                                ? handOver(sequence, prefill, decode)
                                : null;
                placed = second != null;
                if (second != null) {
                    second.from.replica().settle(second.from);
                    sequence.hedge = second;
                    counters.hedges++;
                } else {
                    router.abandoned(prefill.health(), sequence.id());
                }
            }
        }
        return placed;
    }

    private @Nullable Attempt handOver(Sequence sequence, Replica prefill, Replica decode) {
        double predicted = seconds(prefill);
        Residence from = reserve(sequence, prefill, sequence.known() - 1, Residence.Stage.PREFILL);
        if (from == null) {
            return null;
        }
        from.prefillOnly = true;
        from.planned = from.indexedBlocks * prefill.facts().blockTokens();
        Attempt attempt = new Attempt(from, nowNanos, predicted);
        if (sequence.tokensMax() - sequence.known() > 1) {
            Residence to = reserve(sequence, decode, sequence.known(), Residence.Stage.ARRIVING);
            if (to == null) {
                prefill.pool().release(from.table());
                return null;
            }
            to.planned = sequence.known();
            Handoff handoff = Handoff.ofPrompt(handoffs.nextLease(), sequence, attempt, to);
            attempt.handoff = handoff;
            decode.settle(to);
            handoffs.opened(handoff);
        }
        bringPrefix(sequence, attempt);
        return attempt;
    }

    private void settle(Sequence sequence, Attempt attempt) {
        Residence residence = attempt.from;
        residence.replica().settle(residence);
        sequence.attempt = attempt;
        sequence.state = Sequence.State.PLACED;
        int hitTokens = residence.indexedBlocks * residence.replica().facts().blockTokens();
        counters.prefixQueriedTokens += sequence.known();
        counters.prefixHitTokens += hitTokens;
        if (sequence.attempts++ == 0) {
            sequence.cachedTokens = hitTokens;
            sequence.firstPlacedNanos = nowNanos;
        }
        sequence.chargedTokens = Math.max(sequence.chargedTokens, hitTokens);
        sequence.placedTokens = Math.max(0, sequence.known() - sequence.chargedTokens);
    }

    /// Takes blocks for all known tokens; `indexedBlocks` of them, at most those of `sharedTokens`, were cached.
    private @Nullable Residence reserve(
            Sequence sequence, Replica replica, int sharedTokens, Residence.Stage stage) {
        Residence residence = new Residence(replica, sequence, stage);
        int blockTokens = replica.facts().blockTokens();
        if (options.prefixCache()) {
            residence.indexedBlocks =
                    replica.pool()
                            .share(
                                    residence.table(),
                                    sequence.hashes(blockTokens),
                                    sharedTokens / blockTokens);
        }
        residence.table().expect(replica.pool().blocksFor(sequence.tokensExpectedMax()));
        if (!replica.pool().grow(residence.table(), sequence.known())) {
            replica.pool().release(residence.table());
            return null;
        }
        return residence;
    }
}
