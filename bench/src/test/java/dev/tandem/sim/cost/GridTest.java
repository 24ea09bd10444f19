package dev.tandem.sim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/// Interpolation: exact where measured, between the corners elsewhere.
class GridTest {
    private static final long SEED = Long.getLong("tandem.seed", 1);
    private static final String REPEAT = "repeat with -Dtandem.seed=" + SEED + " -Dtest=GridTest";

    @Test
    void aPowerLawIsReproducedEverywhere() {
        TreeMap<Integer, TreeMap<Integer, Double>> cells = new TreeMap<>();
        for (int x : new int[] {1, 4, 16}) {
            for (int y : new int[] {2, 8, 100}) {
                cells.computeIfAbsent(x, at -> new TreeMap<>()).put(y, 3 * x * Math.pow(y, 1.5));
            }
        }
        LogGrid grid = new LogGrid(cells);
        for (double x : new double[] {1, 2, 3.7, 16, 64}) {
            for (double y : new double[] {2, 5, 99, 400}) {
                assertEquals(3 * x * Math.pow(y, 1.5), grid.at(x, y), 1e-6 * x * y * y);
            }
        }
        assertEquals(grid.at(1, 2), grid.at(0.5, 1), 1e-12, "below the grid the first value holds");
    }

    @Test
    void holesAreFilledInProportion() {
        TreeMap<Integer, TreeMap<Integer, Double>> cells = new TreeMap<>();
        cells.put(1, new TreeMap<>(Map.of(1, 10.0, 2, 30.0)));
        cells.put(4, new TreeMap<>(Map.of(1, 20.0)));
        assertEquals(120, new LogGrid(cells).at(4, 2), 1e-9);
        assertThrows(IllegalArgumentException.class, () -> new LogGrid(new TreeMap<>()));
    }

    @Test
    void measuredPointsAreExactAndTheRestIsBetweenThem() throws IOException {
        ProfileFolder folder = new ProfileFolder(Profiles.file("aiconfigurator"), "h100_sxm");
        TreeMap<Integer, TreeMap<Integer, Double>> cells =
                folder.decodeAttention(32, 8, 128, "bfloat16");
        LogGrid grid = new LogGrid(cells);
        DenseGrid dense = new DenseGrid(11, 17, grid::at);
        int points = 0;
        for (var row : cells.entrySet()) {
            for (var point : row.getValue().entrySet()) {
                double nanos = point.getValue();
                assertEquals(nanos, grid.at(row.getKey(), point.getKey()), nanos * 1e-9);
                assertEquals(nanos, dense.at(row.getKey(), point.getKey()), nanos * 1e-6);
                points++;
            }
        }
        assertTrue(points > 100, points + " points");
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < 10_000; i++) {
            int x = 1 << random.nextInt(6);
            int y = 2 << random.nextInt(12);
            double xAt = x * (1 + random.nextDouble());
            double yAt = y * (1 + random.nextDouble());
            double[] corners = {
                Profiles.at(cells, x, y),
                Profiles.at(cells, x, 2 * y),
                Profiles.at(cells, 2 * x, y),
                Profiles.at(cells, 2 * x, 2 * y)
            };
            double low =
                    Math.min(Math.min(corners[0], corners[1]), Math.min(corners[2], corners[3]));
            double high =
                    Math.max(Math.max(corners[0], corners[1]), Math.max(corners[2], corners[3]));
            for (double nanos : new double[] {grid.at(xAt, yAt), dense.at(xAt, yAt)}) {
                assertTrue(
                        nanos >= low * (1 - 1e-6) && nanos <= high * (1 + 1e-6),
                        () ->
                                nanos
                                        + " at "
                                        + xAt
                                        + ", "
                                        + yAt
                                        + " not in "
                                        + low
                                        + ".."
                                        + high
                                        + "; "
                                        + REPEAT);
            }
        }
    }

    @Test
    void denseGridClampsAtItsEnds() {
        DenseGrid grid = new DenseGrid(3, 3, (x, y) -> x + 10 * y);
        assertEquals(11, grid.at(0, -5), 1e-5);
        assertEquals(88, grid.at(8, 8), 1e-5);
        assertEquals(88, grid.at(1e9, 1e9), 1e-5);
        assertEquals(3.3 + 52.1, grid.at(3.3, 5.21), 1e-4); // a plane is met exactly
    }

    @Test
    void leavingOneOutMeasuresTheCurve() {
        ErrorStatistics errors = new ErrorStatistics();
        LogGrid.leaveOneOut(
                Map.of(1, new TreeMap<>(Map.of(1, 1.0, 2, 2.0, 4, 4.0, 8, 16.0))), errors);
        assertEquals(2, errors.count());
        assertEquals(0, errors.quantile(0.5), 1e-12); // 2 between 1 and 4
        assertEquals(Math.sqrt(2 * 16) / 4 - 1, errors.quantile(1), 1e-12); // 4 between 2 and 16
    }
}
