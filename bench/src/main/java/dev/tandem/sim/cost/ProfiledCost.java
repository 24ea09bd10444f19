package dev.tandem.sim.cost;

import java.io.IOException;
import java.nio.file.Path;

/// A step's time from measured times of its operations (the method of Vidur and of NVIDIA's aiconfigurator):
/// ```
/// linear    = layers x (qkv + output + gate and up + down products at m = tokens
///             + 2 all-reduces of tokens x hidden x 2 bytes + element-wise operations)
/// logits    = product at m = sampled rows, bfloat16
/// prefill   = layers x pairs x (measured time per pair of `rows` prompts as long as the mean context)
/// decode    = layers x (measured time at `rows` sequences of the mean context)
/// nanos     = stepNanos + rowNanos x rows + deviceNanos x (devices - 1)
///             + linearFactor x (linear + logits) + attentionFactor x (prefill + decode)
/// ```
/// The last line's [Calibration] says how an engine differs from the bare kernels of the tables; [Calibration#NONE] takes them
/// as they are. Element-wise operations (norms, rotary embedding, activation) are not in the tables: their bytes over the
/// device's bandwidth, and 2 microseconds each of the 4 launches of a layer.
///
/// The tables are tabulated when the object is made, so that a call is a few array reads.
public final class ProfiledCost implements StepCost {
    /// An engine's own times beside its kernels.
    ///
    /// @param stepNanos       each step: scheduling, launch, sampling, copy
    /// @param rowNanos        for each sequence in the step
    /// @param deviceNanos     for each device after the first
    /// @param linearFactor    time of its products relative to the tables
    /// @param attentionFactor time of its attention relative to the tables
    public record Calibration(
            double stepNanos,
            double rowNanos,
            double deviceNanos,
            double linearFactor,
            double attentionFactor) {
        /// The kernels alone.
        public static final Calibration NONE = new Calibration(0, 0, 0, 1, 1);
    }

    private static final int DENSE_TOKENS = 8192;
    private static final int COARSE_STEP = 1024;
    private static final int COARSE_STEPS = 56; // up to 65,536 tokens; linear beyond
    private static final int SAMPLES_MAX = 4096;
    private static final int ROWS_OCTAVES = 13;
    private static final int CONTEXT_OCTAVES = 18;
    private static final int LAUNCHES_PER_LAYER = 4;
    private static final double LAUNCH_NANOS = 2000;

    private final ShardedModel sharded;
    private final Calibration calibration;
    private final double fixedNanos;
    private final float[] linear;
    private final float[] linearCoarse;
    private final float[] logits;
    private final DenseGrid prefillPerPair;
    private final DenseGrid decode;
    private final double kvReadNanosPerToken;

    private ProfiledCost(ProfiledCost tables, Calibration calibration) {
        this.sharded = tables.sharded;
        this.calibration = calibration;
        this.linear = tables.linear;
        this.linearCoarse = tables.linearCoarse;
        this.logits = tables.logits;
        this.prefillPerPair = tables.prefillPerPair;
        this.decode = tables.decode;
        this.kvReadNanosPerToken = tables.kvReadNanosPerToken;
        this.fixedNanos =
                calibration.stepNanos + calibration.deviceNanos * (sharded.tensorParallel() - 1);
    }

    /// Reads and prepares the tables; takes about a second.
    ///
    /// @param root   the folder `aiconfigurator` of the measured profiles
    /// @param device every one of the replica's devices
    /// @param model  what runs on them
    /// @throws IOException the folder or an operation in it is lacking; the message says which
    public ProfiledCost(Path root, Device device, ShardedModel model) throws IOException {
        ProfileFolder folder = new ProfileFolder(root, device.name());
        this.sharded = model;
        this.calibration = Calibration.NONE;
        this.fixedNanos = 0;
        this.kvReadNanosPerToken = model.deviceKvBytesPerToken() * 1e9 / device.effectiveBytes();
        ProductTimes products =
                new ProductTimes(folder.products(model.weightBytes() == 1 ? "fp8" : "bfloat16"));
        ProductTimes plain =
                model.weightBytes() == 1 ? new ProductTimes(folder.products("bfloat16")) : products;
        double[] linearAt = linearAtMeasured(folder, products, device);
        this.linear = tabulate(products.rows(), linearAt, 0, 1, DENSE_TOKENS + 1);
        this.linearCoarse =
                tabulate(products.rows(), linearAt, DENSE_TOKENS, COARSE_STEP, COARSE_STEPS + 1);
        this.logits =
                tabulate(plain.rows(), logitsAtMeasured(plain, device), 0, 1, SAMPLES_MAX + 1);
        String kvType = model.kvBytes() == 1 ? "fp8" : "bfloat16";
        this.prefillPerPair = prefillTable(folder, kvType);
        this.decode = decodeTable(folder, kvType);
    }

    /// @return the same kernels in an engine with these times of its own; shares the tables
    public ProfiledCost with(Calibration calibration) {
        return new ProfiledCost(this, calibration);
    }

    /// @return what this was made for
    public ShardedModel model() {
        return sharded;
    }

    @Override
    public long nanos(StepShape shape) {
        long tokens = shape.tokens();
        if (tokens == 0) {
            return 0;
        }
        double products = linearNanos(tokens) + logits[Math.min(shape.samples(), SAMPLES_MAX)];
        double attention = 0;
        int prefillRows = shape.prefillRows();
        if (prefillRows > 0) {
            double context = (double) shape.prefillContext() / prefillRows;
            attention =
                    Math.max(
                            shape.prefillPairs() * prefillPerPair.at(prefillRows, context),
                            shape.prefillContext() * kvReadNanosPerToken);
        }
        int decodeRows = shape.decodeRows();
        if (decodeRows > 0) {
            attention += decode.at(decodeRows, (double) shape.decodeContext() / decodeRows);
        }
        return Math.round(
                fixedNanos
                        + calibration.rowNanos * (prefillRows + decodeRows)
                        + calibration.linearFactor * products
                        + calibration.attentionFactor * attention);
    }

    private double linearNanos(long tokens) {
        if (tokens <= DENSE_TOKENS) {
            return linear[(int) tokens];
        }
        double at = (double) (tokens - DENSE_TOKENS) / COARSE_STEP;
        int cell = (int) Math.min((long) at, COARSE_STEPS - 1);
        return linearCoarse[cell] + (at - cell) * (linearCoarse[cell + 1] - linearCoarse[cell]);
    }

    private double[] linearAtMeasured(ProfileFolder folder, ProductTimes products, Device device)
            throws IOException {
        ModelShape model = sharded.model();
        int tp = sharded.tensorParallel();
        LogGrid reduces = tp > 1 ? new LogGrid(folder.allReduce(tp)) : null;
        int headDim = model.headDim();
        int queryWidth = sharded.deviceHeads() * headDim;
        int qkvWidth = queryWidth + 2 * sharded.deviceKvHeads() * headDim;
        int intermediate = model.intermediate() / tp;
        int upWidth = (model.gated() ? 2 : 1) * intermediate;
        // read and written once: two norms with the residual, rotary embedding with the KV write,
        // activation
        double elementBytes =
                2.0 * (2 * 4 * model.hidden() + 2 * qkvWidth + upWidth + intermediate);
        double[] rows = products.rows();
        double[] nanos = new double[rows.length];
        for (int i = 0; i < rows.length; i++) {
            double layer =
                    products.at(i, qkvWidth, model.hidden())
                            + products.at(i, model.hidden(), queryWidth)
                            + products.at(i, upWidth, model.hidden())
                            + products.at(i, model.hidden(), intermediate)
                            + LAUNCHES_PER_LAYER * LAUNCH_NANOS
                            + rows[i] * elementBytes * 1e9 / device.effectiveBytes();
            if (reduces != null) {
                layer += 2 * reduces.at(rows[i] * model.hidden() * 2, 1);
            }
            nanos[i] = model.layers() * layer;
        }
        return nanos;
    }

    private double[] logitsAtMeasured(ProductTimes products, Device device) {
        ModelShape model = sharded.model();
        double width = (double) model.vocabulary() / sharded.tensorParallel();
        double[] rows = products.rows();
        double[] nanos = new double[rows.length];
        for (int i = 0; i < rows.length; i++) {
            // sampling reads the 4-byte logits of the whole vocabulary about three times
            nanos[i] =
                    products.at(i, width, model.hidden())
                            + rows[i] * 12.0 * model.vocabulary() * 1e9 / device.effectiveBytes();
        }
        return nanos;
    }

    private DenseGrid prefillTable(ProfileFolder folder, String kvType) throws IOException {
        ModelShape model = sharded.model();
        var measured =
                folder.contextAttention(
                        sharded.deviceHeads(), sharded.deviceKvHeads(), model.headDim(), kvType);
        if (measured.isEmpty()) {
            throw new IOException("prefill attention of " + sharded + " was not measured");
        }
        LogGrid grid = new LogGrid(measured);
        return new DenseGrid(
                ROWS_OCTAVES,
                CONTEXT_OCTAVES,
                (rows, tokens) ->
                        model.layers()
                                * grid.at(rows, tokens)
                                / (rows * tokens * (tokens + 1) / 2));
    }

    /// Many KV heads were not measured: `heads` query and KV heads of `rows` sequences read and compute the same as half the heads
    /// of twice the sequences, so the largest measured group is taken and the rows multiplied.
    private DenseGrid decodeTable(ProfileFolder folder, String kvType) throws IOException {
        ModelShape model = sharded.model();
        int kvHeads = sharded.deviceKvHeads();
        for (int group = 1; group <= kvHeads; group++) {
            if (kvHeads % group != 0) {
                continue;
            }
            var measured =
                    folder.decodeAttention(
                            sharded.deviceHeads() / group,
                            kvHeads / group,
                            model.headDim(),
                            kvType);
            if (!measured.isEmpty()) {
                LogGrid grid = new LogGrid(measured);
                int times = group;
                return new DenseGrid(
                        ROWS_OCTAVES,
                        CONTEXT_OCTAVES,
                        (rows, context) -> model.layers() * grid.at(rows * times, context));
            }
        }
        throw new IOException("decode attention of " + sharded + " was not measured");
    }

    private static float[] tabulate(double[] sizes, double[] times, int from, int step, int count) {
        float[] table = new float[count];
        for (int i = 0; i < count; i++) {
            double at = from + (double) i * step;
            if (at > 0) {
                int cell = LogGrid.segment(sizes, at);
                table[i] =
                        (float)
                                LogGrid.between(
                                        sizes[cell],
                                        times[cell],
                                        sizes[cell + 1],
                                        times[cell + 1],
                                        Math.max(at, sizes[0]));
            }
        }
        return table;
    }
}
