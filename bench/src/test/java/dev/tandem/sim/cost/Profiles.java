package dev.tandem.sim.cost;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/// The measured profiles, where the tests were told of them.
final class Profiles {
    private Profiles() {}

    /// Skips the test when there are none.
    static Path file(String name) {
        String data = System.getProperty("tandem.data");
        assumeTrue(data != null, "needs -Dtandem.data=FOLDER with profiles/" + name);
        return Path.of(data, "profiles", name);
    }

    /// A measured point, which must be there.
    static double at(Map<Integer, ? extends Map<Integer, Double>> cells, int row, int column) {
        return Objects.requireNonNull(Objects.requireNonNull(cells.get(row)).get(column));
    }
}
