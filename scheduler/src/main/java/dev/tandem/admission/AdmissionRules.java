package dev.tandem.admission;

import dev.tandem.admission.AdmissionOptions.Rule;

import java.util.ArrayList;

/// Asks the configured rules in the order of [Rule]. The first refusal counts; of several wishes to shed, the largest.
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
            switch (rule.verdict(request, load, nowNanos)) {
                case Verdict.Accept() -> {}
                case Verdict.AcceptByShedding shedding -> verdict = more(verdict, shedding);
                case Verdict.Refuse refuse -> {
                    return refuse;
                }
            }
        }
        return verdict;
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
