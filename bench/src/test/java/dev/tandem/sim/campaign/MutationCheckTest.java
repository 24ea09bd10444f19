package dev.tandem.sim.campaign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Known bugs in the core are found by the campaign. By default some of them; `-Dtandem.mutants=all` takes all, with more
/// seeds, which takes minutes.
class MutationCheckTest {
    private static final int SOME = 6;
    private static final double CAUGHT_SHARE_MIN = 0.95;

    private static Path sources() {
        for (Path folder = Path.of("").toAbsolutePath();
                folder != null;
                folder = folder.getParent()) {
            Path sources = folder.resolve("scheduler/src/main/java");
            if (Files.isDirectory(sources)) {
                return sources;
            }
        }
        throw new IllegalStateException("the scheduler's sources are not above this folder");
    }

    private static MutationCheck check() {
        return new MutationCheck(sources(), System.getProperty("java.class.path"));
    }

    private static Mutant named(String description) {
        return Mutants.all().stream()
                .filter(mutant -> mutant.description().equals(description))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void knownBugsAreCaught() {
        boolean all = System.getProperty("tandem.mutants", "").equals("all");
        List<Mutant> mutants = Mutants.all();
        assertThat(mutants).hasSizeGreaterThanOrEqualTo(20);
        List<String> living = new ArrayList<>();
        int tried = 0;
        int stride = all ? 1 : mutants.size() / SOME;
        for (int i = 0; i < mutants.size(); i += stride) {
            tried++;
            MutationCheck.Outcome outcome = check().run(mutants.get(i), 0, all ? 9_999 : 2_999);
            if (!outcome.isCaught()) {
                living.add(mutants.get(i).description());
            }
        }
        assertThat(living)
                .as("bugs that no seed shows")
                .hasSizeLessThanOrEqualTo((int) (tried * (1 - CAUGHT_SHARE_MIN)));
    }

    @Test
    void anEditThatChangesNothingIsNotCaught() {
        Mutant same =
                new Mutant(
                        "dev/tandem/core/BlockPool.java",
                        "references[block] = 1;",
                        "references[block] = 2 - 1;",
                        "nothing");
        assertThat(check().run(same, 0, 99).isCaught()).isFalse();
    }

    @Test
    void aMutantWhoseTextIsGoneProvesNothing() {
        Mutant gone = new Mutant("dev/tandem/core/BlockPool.java", "no such text", "", "gone");
        assertThatIllegalStateException()
                .isThrownBy(() -> check().run(gone, 0, 0))
                .withMessageContaining("must stand there once");
    }

    @Test
    void everyMutantsTextIsThereAndCompiles() {
        for (Mutant mutant : Mutants.all()) {
            check().run(mutant, 0, -1); // no seed at all
        }
    }

    @Test
    void aFailingSeedIsShrunkAndSaysHowToRepeatIt() {
        String report =
                check().report(named("blocks are given back while a plan writes them"), 0, 999);
        assertThat(report).contains("repeat: ./tandem simulate --faults all --seeds ");
        Matcher counts =
                Pattern.compile("from (\\d+) requests and (\\d+) faults to (\\d+) and (\\d+): ")
                        .matcher(report);
        assertThat(counts.find()).isTrue();
        int requests = Integer.parseInt(counts.group(1));
        int faults = Integer.parseInt(counts.group(2));
        int requestsLeft = Integer.parseInt(counts.group(3));
        int faultsLeft = Integer.parseInt(counts.group(4));
        assertThat(requestsLeft).isPositive();
        assertThat(requestsLeft + faultsLeft).isLessThan(requests + faults);
    }
}
