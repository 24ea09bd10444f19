package dev.tandem.admission;

import java.util.concurrent.TimeUnit;

/// Refuses at once what can't be done by its deadline:
/// `now + predicted TTFT + (expected output - 1) x predicted TPOT > deadline`. Work that nobody will wait for would only
/// slow down the rest (Google SRE, chapter 22, "deadline propagation"; early rejection by prediction: Mooncake, Qin et al.,
/// FAST 2025). A deadline is kept by shedding lower lanes where that helps.
final class DeadlineRule implements AdmissionPolicy {
    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);
    private final int retryAfterMillisMax;

    DeadlineRule(AdmissionOptions options) {
        this.retryAfterMillisMax = options.retryAfterMillisMax();
    }

    @Override
    public Verdict verdict(AdmissionRequest request, LoadView load, long nowNanos) {
        if (request.deadlineNanos() == 0) {
            return Verdict.ACCEPT;
        }
        double remaining = (request.deadlineNanos() - nowNanos) / NANOS_PER_SECOND;
        double decode = (request.expectedOutputTokens() - 1) * load.predictedTpotSeconds();
        double ttftMax = remaining - decode;
        long shed = Shedding.tokensFor(request, load, ttftMax);
        if (shed == 0) {
            return Verdict.ACCEPT;
        }
        if (shed > 0) {
            return new Verdict.AcceptByShedding(request.lane(), shed, 0);
        }
        double predicted = load.predictedTtftSeconds(request.promptTokens(), request.lane(), 0);
        return new Verdict.Refuse(
                Reason.DEADLINE,
                "The deadline is %.3f s away, the answer is predicted to take %.3f s."
                        .formatted(remaining, predicted + decode),
                retryAfterMillis(request, load, predicted - ttftMax, ttftMax));
    }

    /// Taking it that the client comes back with as much time as now; 0 when even an idle system would be too slow.
    private int retryAfterMillis(
            AdmissionRequest request, LoadView load, double lateSeconds, double ttftMax) {
        return load.unloadedTtftSeconds(request.promptTokens()) > ttftMax
                ? 0
                : RetryAfter.millis(lateSeconds, request.sequence(), retryAfterMillisMax);
    }
}
