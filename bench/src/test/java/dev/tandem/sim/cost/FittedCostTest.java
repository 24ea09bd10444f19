package dev.tandem.sim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Path;

class FittedCostTest {
    /// OPT-13B on one A100, rounded as printed in the paper's artefact.
    private static final FittedCost OPT =
            new FittedCost(
                    new FittedCost.Line(18.10, 0.1019, 7.12e-6),
                    new FittedCost.Line(19.93, 6.27e-4, 0.0385),
                    new FittedCost.Line(7.17, 5.80e-4, 0.158),
                    95);

    private final StepShape shape = new StepShape();

    @Test
    void onePrompt() {
        shape.addPrefill(0, 512, true);
        assertMillis(18.10 + 0.1019 * 512 + 7.12e-6 * 512 * 512); // 72.14
    }

    @Test
    void chunksAddUpToTheirPromptButForTheConstant() {
        shape.addPrefill(0, 300, false);
        long first = OPT.nanos(shape);
        shape.clear();
        shape.addPrefill(300, 212, true);
        double whole = 18.10 + 0.1019 * 512 + 7.12e-6 * 512 * 512;
        assertEquals(whole + 18.10, (first + OPT.nanos(shape)) / 1e6, 1e-5);
    }

    @Test
    void smallAndLargeBatches() {
        for (int rows = 1; rows <= 95; rows++) {
            shape.addDecode(500);
            if (rows == 94) {
                assertMillis(19.93 + 6.27e-4 * 94 * 500 + 0.0385 * 94); // 53.02
            }
        }
        assertMillis(7.17 + 5.80e-4 * 95 * 500 + 0.158 * 95); // 49.73
    }

    @Test
    void aMixedStepPaysOneConstant() {
        shape.addPrefill(0, 512, true);
        shape.addDecode(600);
        shape.addDecode(400);
        assertMillis(18.10 + 0.1019 * 512 + 7.12e-6 * 512 * 512 + 6.27e-4 * 1000 + 0.0385 * 2);
    }

    @Test
    void publishedFile() throws IOException {
        Path file = Profiles.file("distserve/profiler-a100-80g.distserve.json");
        FittedCost cost = FittedCost.read(file, "facebook/opt-13b", 1);
        shape.addPrefill(0, 512, true);
        assertEquals(OPT.nanos(shape), cost.nanos(shape), 20_000);
        shape.clear();
        shape.addDecode(544);
        assertEquals(OPT.nanos(shape), cost.nanos(shape), 20_000);
        assertThrows(IOException.class, () -> FittedCost.read(file, "facebook/opt-13b", 3));
    }

    private void assertMillis(double expected) {
        assertEquals(expected, OPT.nanos(shape) / 1e6, 1e-5);
    }
}
