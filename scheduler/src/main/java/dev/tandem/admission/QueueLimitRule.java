package dev.tandem.admission;

/// Keeps the queue within an absolute number of tokens and sequences. A request of a higher lane finds room by shedding
/// lower lanes, lowest first (criticality and load shedding: Google, "Site Reliability Engineering", chapter 21; DAGOR:
/// Zhou et al., "Overload Control for Scaling WeChat Microservices", SoCC 2018).
///
/// So that no tenant fills the queue for all, one tenant may queue at most `tenantQueueFactor` times the room that is
/// free while several tenants are known (dynamic thresholds: Choudhury and Hahne, "Dynamic Queue Length Thresholds for
/// Shared-Memory Packet Switches", IEEE/ACM ToN 1998). With factor 8 one tenant gets 8/9 of the queue, and a newcomer
/// always finds room.
final class QueueLimitRule implements AdmissionPolicy {
    private final long tokensMax;
    private final int sequencesMax;
    private final double tenantFactor;
    private final int retryAfterMillisMax;
    private final TenantAccounts accounts;

    QueueLimitRule(AdmissionOptions options, TenantAccounts accounts) {
        this.tokensMax = options.queuedTokensMax();
        this.sequencesMax = options.queuedSequencesMax();
        this.tenantFactor = options.tenantQueueFactor();
        this.retryAfterMillisMax = options.retryAfterMillisMax();
        this.accounts = accounts;
    }

    @Override
    public Verdict verdict(AdmissionRequest request, LoadView load, long nowNanos) {
        if (request.promptTokens() > tokensMax) {
            return new Verdict.Refuse(
                    Reason.QUEUE_FULL,
                    "The prompt has %d tokens, the queue holds %d at most."
                            .formatted(request.promptTokens(), tokensMax),
                    0);
        }
        long queued = queuedTokens(load);
        long shedTokens = Shedding.tokensBelow(request.lane(), load);
        double overTenant = tokensOverTenantsPart(request, queued, shedTokens);
        if (overTenant > 0) {
            return refuse(
                    "The tenant has %d tokens waiting, as many as it may while others wait too."
                            .formatted(request.account().queuedTokens()),
                    overTenant,
                    request,
                    load);
        }
        long overTokens = Math.max(0, queued + request.promptTokens() - tokensMax);
        int overSequences = Math.max(0, load.queuedSequences() + 1 - sequencesMax);
        if (overTokens == 0 && overSequences == 0) {
            return Verdict.ACCEPT;
        }
        if (shedTokens >= overTokens
                && Shedding.sequencesBelow(request.lane(), load) >= overSequences) {
            return new Verdict.AcceptByShedding(request.lane(), overTokens, overSequences);
        }
        double tokensPerSequence = (double) queued / Math.max(1, load.queuedSequences());
        return refuse(
                "The queue is full: %d requests with %d tokens are waiting."
                        .formatted(load.queuedSequences(), queued),
                Math.max(overTokens, overSequences * tokensPerSequence),
                request,
                load);
    }

    /// How many tokens have to leave the queue until the tenant may add this request, in the worst case: first those that
    /// could be shed for it, whose room counts as free already, then those of others. 0 = none.
    private double tokensOverTenantsPart(AdmissionRequest request, long queued, long shedTokens) {
        long own = request.account().queuedTokens();
        if (own == 0 || accounts.size() < 2) {
            return 0;
        }
        double wanted = (double) own + request.promptTokens();
        double free = Math.max(0, tokensMax - queued + shedTokens);
        double missing = wanted / tenantFactor - free;
        if (missing <= 0) {
            return 0;
        }
        double others = queued - own;
        double leaving =
                missing <= others
                        ? missing
                        // The others' leaving is not enough: then both sides move.
                        : others + (wanted - tenantFactor * (free + others)) / (1 + tenantFactor);
        return Math.min(queued, shedTokens + leaving);
    }

    private Verdict.Refuse refuse(
            String message, double tokens, AdmissionRequest request, LoadView load) {
        double drain = load.drainTokensPerSecond();
        double seconds =
                drain > 0 ? (load.placedTokens() + tokens) / drain : Double.POSITIVE_INFINITY;
        return new Verdict.Refuse(
                Reason.QUEUE_FULL,
                message,
                RetryAfter.millis(seconds, request.sequence(), retryAfterMillisMax));
    }

    private static long queuedTokens(LoadView load) {
        long tokens = 0;
        for (int i = 0; i < Lane.COUNT; i++) {
            tokens += load.queuedTokens(Lane.of(i));
        }
        return tokens;
    }
}
