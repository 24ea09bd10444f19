package dev.tandem.admission;

import dev.tandem.admission.AdmissionOptions.Rule;

import java.util.ArrayList;

/// Asks all configured rules in the order of [Rule]. The first refusal gives the reason, but the wait is the longest that any
/// of them wants: who comes back after it is stopped by none. Of several wishes to shed, the largest counts.
public final class AdmissionRules implements AdmissionPolicy {
    private final AdmissionPolicy[] rules;

    /// @param accounts asked only how many tenants there are
    public AdmissionRules(AdmissionOptions options, TenantAccounts accounts) {
        var chosen = new ArrayList<AdmissionPolicy>();
        for (Rule rule : Rule.values()) { // not in the set's order
            if (options.rules().contains(rule)) {
                chosen.add(
                        switch (rule) {
                            case TENANT_BUDGET -> new TenantBudgetRule();
                            case QUEUE_LIMIT -> new QueueLimitRule(options, accounts);
                            case DEADLINE -> new DeadlineRule(options);
                            case PREDICTED_TTFT -> new PredictedTtftRule(options);
                        });
            }
        }
        rules = chosen.toArray(AdmissionPolicy[]::new);
    }

    @Override
    public Verdict verdict(AdmissionRequest request, LoadView load, long nowNanos) {
        Verdict verdict = Verdict.ACCEPT;
        for (AdmissionPolicy rule : rules) {
            verdict = both(verdict, rule.verdict(request, load, nowNanos));
        }
        return verdict;
    }

    private static Verdict both(Verdict verdict, Verdict next) {
        return switch (next) {
            case Verdict.Accept() -> verdict;
            case Verdict.AcceptByShedding shedding ->
                    verdict instanceof Verdict.Refuse ? verdict : more(verdict, shedding);
            case Verdict.Refuse refuse ->
                    verdict instanceof Verdict.Refuse first ? later(first, refuse) : refuse;
        };
    }

    /// A wait of 0 says that waiting is of no use, so it is the longest.
    private static Verdict.Refuse later(Verdict.Refuse first, Verdict.Refuse next) {
        int millis =
                first.retryAfterMillis() == 0 || next.retryAfterMillis() == 0
                        ? 0
                        : Math.max(first.retryAfterMillis(), next.retryAfterMillis());
        return new Verdict.Refuse(first.reason(), first.message(), millis);
    }

    private static Verdict more(Verdict verdict, Verdict.AcceptByShedding shedding) {
        return verdict instanceof Verdict.AcceptByShedding other
                ? new Verdict.AcceptByShedding(
                        other.lane(),
                        Math.max(other.tokens(), shedding.tokens()),
                        Math.max(other.sequences(), shedding.sequences()))
                : shedding;
    }
}
