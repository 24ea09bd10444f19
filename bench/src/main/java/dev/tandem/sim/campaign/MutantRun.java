package dev.tandem.sim.campaign;

import dev.tandem.sim.fault.FaultKind;

import org.jspecify.annotations.Nullable;

import java.util.EnumSet;
import java.util.Set;

/// Looks for the first failing seed, for a caller in another class loader: only the platform's types pass.
public final class MutantRun {
    private MutantRun() {}

    /// @return the first failing seed and its problem, `seed: problem`; empty if there is none
    public static String firstFailure(long from, long to) {
        Set<FaultKind> kinds = EnumSet.allOf(FaultKind.class);
        for (long seed = from; seed <= to; seed++) {
            @Nullable Throwable problem = FaultCampaign.problem(Scenario.of(seed, kinds));
            if (problem != null) {
                return seed + ": " + problem;
            }
        }
        return "";
    }

    /// @return the first failing seed's report, shrunk; empty if there is none
    public static String firstReport(long from, long to) {
        Set<FaultKind> kinds = EnumSet.allOf(FaultKind.class);
        FaultCampaign.Report report = FaultCampaign.run(from, to, 1, kinds, done -> {});
        return report.failures().isEmpty() ? "" : report.failures().getFirst().text(kinds);
    }
}
