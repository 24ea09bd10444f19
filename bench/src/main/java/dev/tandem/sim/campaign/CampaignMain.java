package dev.tandem.sim.campaign;

import dev.tandem.sim.fault.FaultKind;

import java.io.PrintStream;
import java.util.Set;

/// Runs a fault campaign from the command line: `CampaignMain from..to [threads [faults]]`.
public final class CampaignMain {
    private CampaignMain() {}

    /// @param args seeds, threads (1), faults (`all`)
    public static void main(String[] args) {
        String[] seeds = args[0].split("\\.\\.", 2);
        int threads = args.length > 1 ? Integer.parseInt(args[1]) : 1;
        Set<FaultKind> kinds = FaultKind.parse(args.length > 2 ? args[2] : "all");
        PrintStream out = System.out;
        FaultCampaign.Report report =
                FaultCampaign.run(
                        Long.parseLong(seeds[0]),
                        Long.parseLong(seeds[1]),
                        threads,
                        kinds,
                        done -> {});
        for (Failure failure : report.failures()) {
            out.println(failure.text(kinds));
        }
        out.printf(
                "%d seeds, %d failures; %d requests (%d cancelled, %d refused), %d tokens, %d"
                        + " steps, %d faults; %d preemptions, %d recomputes, %d hedges, %d prefixes"
                        + " fetched, %d from tiers, %d of %d handoffs failed, %d tokens from"
                        + " caches; %.1f s on %d threads, %.2f ms of CPU a seed; decisions %016x%n",
                report.seeds(),
                report.failures().size(),
                report.requests(),
                report.cancelled(),
                report.refused(),
                report.outputTokens(),
                report.steps(),
                report.faults(),
                report.preemptions(),
                report.recomputes(),
                report.hedges(),
                report.fetches(),
                report.tierLoads(),
                report.handoffsFailed(),
                report.handoffs(),
                report.prefixHitTokens(),
                report.wallNanos() / 1e9,
                threads,
                report.cpuNanos() / 1e6 / Math.max(1, report.seeds()),
                report.decisionHash());
        if (!report.failures().isEmpty()) {
            System.exit(1);
        }
    }
}
