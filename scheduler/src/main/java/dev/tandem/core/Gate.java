package dev.tandem.core;

import dev.tandem.admission.AdmissionPolicy;
import dev.tandem.admission.AdmissionRequest;
import dev.tandem.admission.AdmissionRules;
import dev.tandem.admission.Reason;
import dev.tandem.admission.RetryAfter;
import dev.tandem.admission.TenantAccount;
import dev.tandem.admission.TenantAccounts;
import dev.tandem.admission.TenantBudget;
import dev.tandem.admission.Verdict;
import dev.tandem.batching.PrefillOrder;
import dev.tandem.routing.Router;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.TimeUnit;

/// Lets requests in or refuses them, and sees them out. Owned by the core.
final class Gate {
    /// What came of a submission.
    sealed interface Entry {
        /// @param shed waiting tokens of lower lanes that have to go for it
        /// @param shedSequences waiting sequences of lower lanes that have to go for it
        record Admitted(Sequence sequence, long shed, int shedSequences) implements Entry {}

        record Refused(Commands.Failed failed) implements Entry {}
    }

    private final CoreOptions options;
    private final TenantAccounts accounts;
    private final AdmissionPolicy policy;
    private final PrefillOrder order;
    private final CoreLoad load;
    private final Router router;
    private final StopTokens stops = new StopTokens();
    private final PrefixHasher hasher = new PrefixHasher();
    private Replica[] replicas = {};

    /// Of the replicas that compute prompts: what a zone's load is measured against.
    private int pool = Router.DECODE_POOL;

    Gate(CoreOptions options, CoreLoad load, Router router) {
        this.options = options;
        this.accounts = new TenantAccounts(options.admission());
        this.policy = new AdmissionRules(options.admission(), accounts);
        this.order = options.batching().prefillOrder();
        this.load = load;
        this.router = router;
    }

    void replicasChanged(Replica[] all) {
        replicas = all;
        pool = Router.DECODE_POOL;
        for (Replica replica : all) {
            if (replica.facts().role() == ReplicaRole.PREFILL
                    || options.placement().roles() == PlacementOptions.Roles.MIXED) {
                pool = Router.PREFILL_POOL;
            }
        }
    }

    Entry enter(Event.Submit submit, long nowNanos) {
        int tokens = submit.prompt().length();
        String zone = submit.terms().zone();
        router.arrived(pool, zone, tokens, nowNanos);
        TenantAccount account = accounts.open(submit.terms().tenant(), nowNanos);
        AdmissionRequest request =
                options.admission()
                        .request(
                                submit.sequence(),
                                submit.terms(),
                                account,
                                tokens,
                                submit.maxTokens());
        Commands.Failed failed = refusal(request, zone, nowNanos);
        long shed = 0;
        int shedSequences = 0;
        if (failed == null) {
            switch (policy.verdict(request, load.at(nowNanos), nowNanos)) {
                case Verdict.Accept() -> {}
                case Verdict.AcceptByShedding shedding -> {
                    shed = shedding.tokens();
                    shedSequences = shedding.sequences();
                }
                case Verdict.Refuse refuse ->
                        failed =
                                new Commands.Failed(
                                        request.sequence(),
                                        ErrorCategory.CAPACITY,
                                        refuse.code(),
                                        refuse.message(),
                                        refuse.retryAfterMillis());
            }
        }
        if (failed != null) {
            accounts.close(account);
            return new Entry.Refused(failed);
        }
        TenantBudget.reserve(account, request.costTokens(), nowNanos);
        double idleSeconds = load.unloadedTtftSeconds(tokens);
        long rank = order.rankNanos(nowNanos, idleSeconds * 1e9);
        Sequence sequence =
                new Sequence(
                        submit, request, stops.of(submit.stopTokenIds()), hasher, nowNanos, rank);
        double waitSecondsMax = options.admission().waitSecondsMax(request, idleSeconds);
        if (Double.isFinite(waitSecondsMax)) {
            sequence.startBy(nowNanos + (long) (waitSecondsMax * 1e9));
        }
        return new Entry.Admitted(sequence, shed, shedSequences);
    }

    /// What no policy decides: a sequence that fits no pool would preempt itself for ever, and a zone that has failed is
    /// let in only as far as the others can carry it.
    private Commands.@Nullable Failed refusal(
            AdmissionRequest request, String zone, long nowNanos) {
        long needed = (long) request.promptTokens() + request.outputTokensMax();
        long largest = largestPoolTokens();
        if (replicas.length > 0 && needed > largest) {
            return new Commands.Failed(
                    request.sequence(),
                    ErrorCategory.USER,
                    "context_length_exceeded",
                    "The request needs KV blocks for %d tokens, the largest worker has room for %d."
                            .formatted(needed, largest),
                    0);
        }
        if (zone.isEmpty() || replicas.length == 0) {
            return null;
        }
        double share = router.admissibleShare(pool, zone, nowNanos);
        double draw = (request.sequence() * 0x9E3779B97F4A7C15L >>> 11) * 0x1p-53;
        if (draw < share) {
            return null;
        }
        return new Commands.Failed(
                request.sequence(),
                ErrorCategory.CAPACITY,
                "zone_overloaded",
                "Zone %s has failed; the others can carry %.0f %% of its requests."
                        .formatted(zone, share * 100),
                RetryAfter.millis(
                        1, request.sequence(), options.admission().retryAfterMillisMax()));
    }

    /// A sequence that was let in has ended, in whichever way.
    void leave(Sequence sequence, long nowNanos) {
        AdmissionRequest request = sequence.request();
        int used = sequence.known() == sequence.promptTokens() ? 0 : sequence.known();
        TenantBudget.settle(request.account(), request.costTokens(), used, nowNanos);
        accounts.close(request.account());
    }

    /// Sequences wait for room without a limit of their own, but not for workers that are not there.
    ///
    /// @return why the sequence fails now, or null
    Commands.@Nullable Failed unserved(Sequence sequence, long nowNanos) {
        if (sequence.tokensMax() <= largestPoolTokens()) {
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

    /// Work that can't be done by its deadline any more is stopped: nobody will wait for it.
    ///
    /// @return why the sequence fails now, or null
    Commands.@Nullable Failed doomed(Sequence sequence, long nowNanos) {
        long deadline = sequence.request().deadlineNanos();
        double least =
                sequence.state == Sequence.State.WAITING
                        ? load.unloadedTtftSeconds(sequence.known()) * 1e9
                        : 0;
        if (deadline == 0 || nowNanos + least <= deadline) {
            return null;
        }
        return new Commands.Failed(
                sequence.id(),
                ErrorCategory.CAPACITY,
                "deadline_exceeded",
                sequence.state == Sequence.State.WAITING
                        ? "The deadline can't be kept any more."
                        : "The deadline has passed.",
                0);
    }

    /// What has waited so long that its first token would be far too late is given up before it costs anything: under
    /// overload the steps then go to those who can still be on time (Nichols and Jacobson, *Controlling queue delay*, CACM
    /// 2012, bounds the wait where it is measured, at the head of the queue).
    ///
    /// @return why it fails now
    Commands.Failed tooLate(Sequence sequence, long nowNanos) {
        double waited = (nowNanos - sequence.arrivalNanos()) * 1e-9;
        return new Commands.Failed(
                sequence.id(),
                ErrorCategory.CAPACITY,
                Reason.OVERLOAD.code(),
                "No worker was free within %.1f s, too late for the objective of %.1f s."
                        .formatted(waited, sequence.workload().ttftMillis() * 1e-3),
                RetryAfter.millis(
                        waited, sequence.id(), options.admission().retryAfterMillisMax()));
    }

    /// A sequence that it is too late to start even on the replica that is free first, or null.
    @Nullable Sequence hopeless(WaitingQueue waiting, long nowNanos) {
        if (waiting.fair().hopeless(Long.MAX_VALUE - 1) == null) {
            return null;
        }
        long start = nowNanos + (long) (load.leastStartSeconds() * 1e9);
        return waiting.fair().hopeless(start);
    }

    /// Tokens that fit into the largest pool of a replica; 0 without replicas.
    long largestPoolTokens() {
        long largest = 0;
        for (Replica replica : replicas) {
            long tokens = (long) replica.pool().blocks() * replica.facts().blockTokens();
            largest = Math.max(largest, tokens);
        }
        return largest;
    }
}
