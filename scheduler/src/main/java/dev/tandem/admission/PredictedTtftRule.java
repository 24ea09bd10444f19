package dev.tandem.admission;

/// Refuses at once a request whose first token is predicted far too late: beyond `sheddingFactor x max(objective of its
/// class, TTFT of the same prompt on an idle system)` (early rejection: Mooncake, Qin et al., FAST 2025; the idle time
/// counts, because no waiting makes a long prompt short). Before that, lower lanes are shed. The batch lane is never refused
/// here: it waits, up to the queue's limit.
///
/// The wait told is `predicted - limit`: a backlog that nobody adds to falls by one second in a second.
final class PredictedTtftRule implements AdmissionPolicy {
    private static final double MILLIS_PER_SECOND = 1000;
    private final double sheddingFactor;
    private final int retryAfterMillisMax;

    PredictedTtftRule(AdmissionOptions options) {
        this.sheddingFactor = options.sheddingFactor();
        this.retryAfterMillisMax = options.retryAfterMillisMax();
    }

    /// The latest first token that is worth computing, in seconds after the arrival; infinite = there is none.
    ///
    /// @param idleSeconds TTFT of the same prompt on an idle system
    static double limitSeconds(
            AdmissionRequest request, double sheddingFactor, double idleSeconds) {
        int ttftMillis = request.workload().ttftMillis();
        return ttftMillis == 0 || request.lane() == Lane.BATCH
                ? Double.POSITIVE_INFINITY
                : sheddingFactor * Math.max(ttftMillis / MILLIS_PER_SECOND, idleSeconds);
    }

    @Override
    public Verdict verdict(AdmissionRequest request, LoadView load, long nowNanos) {
        int ttftMillis = request.workload().ttftMillis();
        if (ttftMillis == 0 || request.lane() == Lane.BATCH) {
            return Verdict.ACCEPT;
        }
        double objective = ttftMillis / MILLIS_PER_SECOND;
        double idle = load.unloadedTtftSeconds(request.promptTokens());
        double limit = limitSeconds(request, sheddingFactor, idle);
        long shed = Shedding.tokensFor(request, load, limit);
        if (shed == 0) {
            return Verdict.ACCEPT;
        }
        if (shed > 0) {
            return new Verdict.AcceptByShedding(request.lane(), shed, 0);
        }
        double predicted = load.predictedTtftSeconds(request.promptTokens(), request.lane(), 0);
        return new Verdict.Refuse(
                Reason.OVERLOAD,
                "The first token is predicted in %.1f s, the objective is %.1f s."
                        .formatted(predicted, objective),
                RetryAfter.millis(predicted - limit, request.sequence(), retryAfterMillisMax));
    }
}
