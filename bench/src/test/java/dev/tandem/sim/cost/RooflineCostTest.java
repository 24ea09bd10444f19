package dev.tandem.sim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Against the floors computed by hand for one H200 with Llama-3.1-8B in bfloat16 (4.3 TB/s, 790 TFLOP/s).
class RooflineCostTest {
    private static final ShardedModel LLAMA_8B = ShardedModel.bfloat16(ModelShape.LLAMA_3_1_8B, 1);

    private final StepShape shape = new StepShape();

    @Test
    void sizesAreThePublishedOnes() {
        assertEquals(131_072, LLAMA_8B.kvBytesPerToken());
        assertEquals(15.0e9, LLAMA_8B.weightBytesPerStep(), 0.05e9);
        assertEquals(524_288, ModelShape.LLAMA_3_1_8B.flopsPerPair());
        assertEquals(13.96e9, 2.0 * 32 * ModelShape.LLAMA_3_1_8B.layerParameters(), 0.005e9);
        assertEquals(819_200, ShardedModel.bfloat16(ModelShape.OPT_13B, 1).kvBytesPerToken());
        assertEquals(12.6e9, 40 * ModelShape.OPT_13B.layerParameters(), 0.1e9);
        assertEquals(327_680, ShardedModel.bfloat16(ModelShape.LLAMA_3_1_70B, 4).kvBytesPerToken());
        assertEquals(
                32.0e9,
                ShardedModel.bfloat16(ModelShape.QWEN3_32B, 1).weightBytesPerStep() / 2.0,
                0.3e9);
    }

    @ParameterizedTest
    @CsvSource({"1, 3.52", "32, 4.49", "128, 7.49", "256, 11.48"})
    void decodeFloorAtContextOf1k(int rows, double millis) {
        for (int i = 0; i < rows; i++) {
            shape.addDecode(1024);
        }
        assertEquals(millis, floorMillis(), 0.006);
        assertAboveFloor();
    }

    @ParameterizedTest
    @CsvSource({"512, 9.1, 0.05", "2048, 37.6, 0.05", "8192, 167, 0.5", "32768, 935, 1"})
    void prefillFloor(int tokens, double millis, double tolerance) {
        shape.addPrefill(0, tokens, true);
        assertEquals(millis, floorMillis(), tolerance);
        assertAboveFloor();
    }

    @Test
    void anEmptyStepIsFree() {
        assertEquals(0, new RooflineCost(Device.H100, LLAMA_8B).nanos(shape));
    }

    @Test
    void moreDevicesShortenLongStepsAndLengthenTinyOnes() {
        shape.addPrefill(0, 8192, true);
        long one = new RooflineCost(Device.H100, LLAMA_8B).nanos(shape);
        long four =
                new RooflineCost(Device.H100, ShardedModel.bfloat16(ModelShape.LLAMA_3_1_8B, 4))
                        .nanos(shape);
        assertTrue(four < one / 2 && four > one / 4, four + " against " + one);
    }

    @Test
    void fp8NeedsADeviceThatHasIt() {
        ShardedModel fp8 = new ShardedModel(ModelShape.LLAMA_3_1_8B, 1, 1, 1);
        assertThrows(IllegalArgumentException.class, () -> new RooflineCost(Device.A100, fp8));
        shape.addDecode(16);
        long half = new RooflineCost(Device.H100.withoutOverhead(), fp8).nanos(shape);
        long whole = new RooflineCost(Device.H100.withoutOverhead(), LLAMA_8B).nanos(shape);
        assertEquals(whole / 2.0, half, whole * 0.001);
    }

    @Test
    void badSizesAreRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> ShardedModel.bfloat16(ModelShape.OPT_13B, 3));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ShardedModel(ModelShape.OPT_13B, 1, 4, 2));
        assertThrows(IllegalArgumentException.class, () -> Device.named("h300"));
        assertThrows(IllegalArgumentException.class, () -> ModelShape.named("GPT-9"));
    }

    private double floorMillis() {
        return RooflineCost.floor(Device.H200, LLAMA_8B).nanos(shape) / 1e6;
    }

    private void assertAboveFloor() {
        long floor = RooflineCost.floor(Device.H200, LLAMA_8B).nanos(shape);
        long cost = new RooflineCost(Device.H200, LLAMA_8B).nanos(shape);
        assertTrue(
                cost >= floor + Device.H200.stepOverheadNanos(),
                cost + " below the floor of " + floor);
    }
}
