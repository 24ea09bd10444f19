package dev.tandem.sim.campaign;

import java.io.PrintStream;
import java.nio.file.Path;

/// Runs all mutants from the command line: `MutationMain SOURCES [seeds]`.
public final class MutationMain {
    private static final double CAUGHT_SHARE_MIN = 0.95;

    private MutationMain() {}

    /// @param args the scheduler's source folder, seeds for each mutant (1000)
    public static void main(String[] args) {
        long seeds = args.length > 1 ? Long.parseLong(args[1]) : 1000;
        MutationCheck check =
                new MutationCheck(Path.of(args[0]), System.getProperty("java.class.path"));
        PrintStream out = System.out;
        int caught = 0;
        out.println("| file | bug | caught by seed |");
        out.println("|---|---|---|");
        for (Mutant mutant : Mutants.all()) {
            MutationCheck.Outcome outcome = check.run(mutant, 0, seeds - 1);
            caught += outcome.isCaught() ? 1 : 0;
            out.printf(
                    "| %s | %s | %s |%n",
                    Path.of(mutant.file()).getFileName(),
                    mutant.description(),
                    outcome.isCaught() ? outcome.caughtBy() : "**lives**");
        }
        int all = Mutants.all().size();
        out.printf("%d of %d mutants caught, %d seeds each at most%n", caught, all, seeds);
        System.exit(caught >= CAUGHT_SHARE_MIN * all ? 0 : 1);
    }
}
