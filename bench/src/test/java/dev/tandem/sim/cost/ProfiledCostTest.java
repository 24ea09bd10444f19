package dev.tandem.sim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;

class ProfiledCostTest {
    private static final ShardedModel LLAMA_8B = ShardedModel.bfloat16(ModelShape.LLAMA_3_1_8B, 1);

    private final StepShape shape = new StepShape();

    @Test
    void attentionIsTheMeasuredOneTimesTheLayers() throws IOException {
        ProfileFolder folder = new ProfileFolder(Profiles.file("aiconfigurator"), "h100_sxm");
        var decode = folder.decodeAttention(32, 8, 128, "bfloat16");
        var prefill = folder.contextAttention(32, 8, 128, "bfloat16");
        ProfiledCost cost = profiled(Device.H100, LLAMA_8B);
        double difference = 32 * (Profiles.at(decode, 64, 8192) - Profiles.at(decode, 64, 2));
        assertEquals(
                difference,
                decodeNanos(cost, 64, 8192) - decodeNanos(cost, 64, 2),
                difference * 1e-4);
        // equal tokens and samples, so the linear parts are equal
        double one = 32 * Profiles.at(prefill, 1, 4096);
        double four = 32 * Profiles.at(prefill, 4, 1024);
        shape.clear();
        shape.addPrefill(0, 4096, true);
        long oneNanos = cost.nanos(shape);
        shape.clear();
        for (int i = 0; i < 4; i++) {
            shape.addPrefill(0, 1024, i == 0);
        }
        assertEquals(one - four, oneNanos - cost.nanos(shape), one * 1e-4);
    }

    @Test
    void growsWithTokensAndContextAndStaysAboveTheFloor() throws IOException {
        for (Device device : new Device[] {Device.H100, Device.H200, Device.A100}) {
            ProfiledCost cost = profiled(device, LLAMA_8B);
            // what the data sheet allows, not what large kernels usually reach
            Device ideal =
                    new Device(
                            device.name(),
                            device.flopsPerSecond(),
                            0,
                            device.bytesPerSecond(),
                            device.memoryBytes(),
                            1e12,
                            1,
                            1,
                            0,
                            0);
            RooflineCost floor = RooflineCost.floor(ideal, LLAMA_8B);
            long before = 0;
            for (int tokens = 64; tokens <= 65_536; tokens *= 2) {
                shape.clear();
                shape.addPrefill(0, tokens, true);
                before = assertGrows(cost, floor, before);
            }
            for (int rows = 1; rows <= 1024; rows *= 4) {
                before = 0;
                for (int context = 64; context <= 131_072; context *= 4) {
                    shape.clear();
                    shape.addDecodes(rows, (long) rows * context);
                    before = assertGrows(cost, floor, before);
                }
            }
            before = 0;
            for (int cached = 0; cached <= 65_536; cached = Math.max(1024, 2 * cached)) {
                shape.clear();
                shape.addPrefill(cached, 512, false);
                before = assertGrows(cost, floor, before);
            }
        }
    }

    private long assertGrows(StepCost cost, StepCost floor, long before) {
        long nanos = cost.nanos(shape);
        assertTrue(nanos >= before, () -> shape + ": " + nanos + " after " + before);
        assertTrue(
                nanos >= floor.nanos(shape),
                () -> shape + ": " + nanos + " below " + floor.nanos(shape));
        return nanos;
    }

    @Test
    void productsAreExactWhereMeasured() throws IOException {
        var measured =
                new ProfileFolder(Profiles.file("aiconfigurator"), "h100_sxm").products("bfloat16");
        ProductTimes products = new ProductTimes(measured);
        double[] rows = products.rows();
        for (int i = 0; i < rows.length; i++) {
            var cells = java.util.Objects.requireNonNull(measured.get((int) rows[i]));
            for (int n : new int[] {128, 4096, 51_200}) {
                for (int k : new int[] {128, 4096, 16_384}) {
                    double nanos = Profiles.at(cells, n, k);
                    assertEquals(nanos, products.at(i, n, k), nanos * 1e-9);
                }
            }
        }
        assertTrue(
                Arrays.binarySearch(rows, 256) >= 0 && Arrays.binarySearch(rows, 257) >= 0,
                "both sides of a tile");
    }

    @Test
    void manyKvHeadsAreMeasuredAsMoreSequences() throws IOException {
        ProfileFolder folder = new ProfileFolder(Profiles.file("aiconfigurator"), "a100_sxm");
        var eightHeads = folder.decodeAttention(8, 8, 128, "bfloat16");
        ProfiledCost cost = profiled(Device.A100, ShardedModel.bfloat16(ModelShape.OPT_13B, 1));
        double low = 40 * (Profiles.at(eightHeads, 64, 1024) - Profiles.at(eightHeads, 64, 2));
        double high = 40 * (Profiles.at(eightHeads, 128, 1024) - Profiles.at(eightHeads, 128, 2));
        long difference =
                decodeNanos(cost, 16, 1024)
                        - decodeNanos(cost, 16, 2); // 5 x 16 = 80 rows of 8 heads
        assertTrue(difference > low && difference < high, low + " " + difference + " " + high);
    }

    @Test
    void calibrationAddsAndScales() throws IOException {
        ProfiledCost kernels =
                profiled(Device.H100, ShardedModel.bfloat16(ModelShape.LLAMA_3_1_8B, 2));
        long plain = decodeNanos(kernels, 10, 1000);
        assertEquals(
                plain + 1000 + 10 * 30 + 200,
                decodeNanos(
                        kernels.with(new ProfiledCost.Calibration(1000, 30, 200, 1, 1)), 10, 1000),
                1);
        assertEquals(
                2 * plain,
                decodeNanos(kernels.with(new ProfiledCost.Calibration(0, 0, 0, 2, 2)), 10, 1000),
                2);
    }

    @Test
    void aMissingFolderIsOneClearLine(@TempDir Path empty) {
        IOException error =
                assertThrows(
                        IOException.class, () -> new ProfiledCost(empty, Device.H100, LLAMA_8B));
        assertTrue(
                String.valueOf(error.getMessage()).contains(empty.resolve("h100_sxm").toString()),
                error.getMessage());
    }

    @Test
    void callsAllocateNothing() throws IOException {
        StepCost[] costs = {
            profiled(Device.H100, LLAMA_8B),
            new RooflineCost(Device.H100, LLAMA_8B),
            new FittedCost(
                    new FittedCost.Line(18, 0.1, 7e-6),
                    new FittedCost.Line(20, 6e-4, 0.04),
                    new FittedCost.Line(7, 6e-4, 0.16),
                    95)
        };
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (StepCost cost : costs) {
            long sum = play(cost, 20_000); // loads and links what the call needs
            long before = threads.getCurrentThreadAllocatedBytes();
            sum += play(cost, 100_000);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(sum > 0);
            // the measurement itself may allocate a little; one object a call would be over a
            // megabyte
            assertTrue(
                    allocated < 2_000,
                    cost.getClass().getSimpleName() + " allocated " + allocated + " bytes");
        }
    }

    private long play(StepCost cost, int calls) {
        long sum = 0;
        for (int i = 0; i < calls; i++) {
            shape.clear();
            shape.addPrefill(i & 4095, 1 + (i & 511), true);
            shape.addDecodes(1 + (i & 255), 1000L * (1 + (i & 255)));
            sum += cost.nanos(shape);
        }
        return sum;
    }

    private long decodeNanos(StepCost cost, int rows, int context) {
        shape.clear();
        shape.addDecodes(rows, (long) rows * context);
        return cost.nanos(shape);
    }

    private static ProfiledCost profiled(Device device, ShardedModel model) throws IOException {
        return new ProfiledCost(Profiles.file("aiconfigurator"), device, model);
    }
}
