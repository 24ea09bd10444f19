package dev.tandem.sim.cost;

/// A step's time from first principles: every part takes as long as its products or its bytes, whichever takes longer
/// (the roofline of Williams, Waterman and Patterson, 2009), plus the fixed time of a step.
///
/// With `F` products and `B` bytes per second, TP degree `tp`, `T` tokens, `S` sampled rows, `P` prefill pairs:
/// ```
/// linear  = max(2 T layers x layerParameters / F,            layers x layerParameters x weightBytes / B) / tp
/// logits  = max(2 S logitsParameters / F,                    logitsParameters x weightBytes / B) / tp
/// prefill = max(flopsPerPair x P / tp / F,                   prefillContext x kv / B)
/// decode  = max(flopsPerPair x decodeContext / tp / F,       decodeContext x kv / B)
/// reduce  = 2 layers x (collective + 2 (tp - 1) / tp x T x hidden x 2 / link)     when tp > 1
/// ```
/// [#floor] instead lets all products overlap all bytes of a step, with no fixed times: what no implementation can beat.
public final class RooflineCost implements StepCost {
    private final boolean overlapped;
    private final double fixedNanos;
    private final double linearNanosPerToken;
    private final double linearReadNanos;
    private final double logitsNanosPerRow;
    private final double logitsReadNanos;
    private final double attentionNanosPerPair;
    private final double kvReadNanosPerToken;
    private final double reduceNanosPerToken;

    /// @param device every one of the replica's devices
    /// @param model  what runs on them
    public RooflineCost(Device device, ShardedModel model) {
        this(device, model, false);
    }

    private RooflineCost(Device device, ShardedModel sharded, boolean overlapped) {
        this.overlapped = overlapped;
        ModelShape model = sharded.model();
        int tp = sharded.tensorParallel();
        double nanosPerFlop = 1e9 / device.effectiveFlops(sharded.weightBytes());
        double attentionNanosPerFlop =
                1e9 / device.effectiveFlops(2); // attention computes in bfloat16 in either case
        double nanosPerByte = 1e9 / device.effectiveBytes();
        double layers = (double) model.layers() * model.layerParameters();
        linearNanosPerToken = 2 * layers / tp * nanosPerFlop;
        linearReadNanos = layers / tp * sharded.weightBytes() * nanosPerByte;
        logitsNanosPerRow = 2.0 * model.logitsParameters() / tp * nanosPerFlop;
        logitsReadNanos =
                (double) model.logitsParameters() / tp * sharded.weightBytes() * nanosPerByte;
        attentionNanosPerPair = (double) model.flopsPerPair() / tp * attentionNanosPerFlop;
        kvReadNanosPerToken = sharded.deviceKvBytesPerToken() * nanosPerByte;
        double reduces = tp > 1 ? 2.0 * model.layers() : 0;
        reduceNanosPerToken =
                reduces
                        * 2
                        * (tp - 1)
                        / tp
                        * model.hidden()
                        * 2
                        * 1e9
                        / device.linkBytesPerSecond();
        fixedNanos = device.stepOverheadNanos() + reduces * device.collectiveNanos();
    }

    /// @return the physical floor: no fixed times, all products overlapped with all reads
    public static RooflineCost floor(Device device, ShardedModel model) {
        return new RooflineCost(device.withoutOverhead(), model, true);
    }

    @Override
    public long nanos(StepShape shape) {
        long tokens = shape.tokens();
        if (tokens == 0) {
            return 0;
        }
        double linear = tokens * linearNanosPerToken;
        double logits = shape.samples() * logitsNanosPerRow;
        double logitsRead = shape.samples() > 0 ? logitsReadNanos : 0;
        double prefill = shape.prefillPairs() * attentionNanosPerPair;
        double prefillRead = shape.prefillContext() * kvReadNanosPerToken;
        double decode = shape.decodeContext() * attentionNanosPerPair;
        double decodeRead = shape.decodeContext() * kvReadNanosPerToken;
        double nanos;
        if (overlapped) {
            // a prompt's own keys and values are produced in the step; only what was there before
            // must be read
            double read =
                    linearReadNanos
                            + logitsRead
                            + decodeRead
                            + (shape.prefillContext() - shape.prefillTokens())
                                    * kvReadNanosPerToken;
            nanos = Math.max(linear + logits + prefill + decode, read);
        } else {
            nanos =
                    Math.max(linear, linearReadNanos)
                            + Math.max(logits, logitsRead)
                            + Math.max(prefill, prefillRead)
                            + Math.max(decode, decodeRead);
        }
        return Math.round(nanos + tokens * reduceNanosPerToken + fixedNanos);
    }
}
