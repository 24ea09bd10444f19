package dev.tandem.device;

import dev.tandem.kernel.PackedMatrix;
import dev.tandem.kernel.PagedAttention;
import dev.tandem.kernel.RopeTable;
import dev.tandem.kernel.Rows;
import dev.tandem.kernel.ThreadTeam;
import dev.tandem.kv.KvPool;
import dev.tandem.kv.KvShape;
import dev.tandem.model.Checkpoint;
import dev.tandem.model.ModelConfig;
import dev.tandem.model.ModelFormatException;
import dev.tandem.model.RopeFrequencies;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A model on the CPU, in float32. One pass over the layers computes all tokens of a batch, whichever rows they belong
/// to; only attention knows rows. Logits are computed for the rows that sample, the one part whose cost is in
/// proportion to the vocabulary.
///
/// Owned by one thread, which shares large jobs with its [ThreadTeam]. Scratch grows to the largest batch seen; a warm
/// step allocates nothing but the returned record.
public final class CpuBackend implements Backend {
    static final int THREADS_MAX = 256;
    static final int BLOCK_TOKENS_MAX = 1024;

    /// Below this much work, in floating-point operations, waking a helper costs more than it saves.
    private static final long PARALLEL_FLOPS_MIN = 1_500_000;

    private static final int TOKENS_PER_PART = 16;

    private final Checkpoint checkpoint;

    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    private final Arena arena = Arena.ofShared();

    private final ModelConfig config;
    private final KvShape kvShape;
    private final CpuWeights weights;
    private final RopeTable rope;
    private final PagedAttention attention;
    private final ThreadTeam team;
    private final CpuProducts products;
    private final CpuScratch scratch;

    private final ThreadTeam.Task attendTask = this::attendPart;
    private final ThreadTeam.Task activateTask = this::activatePart;
    private final float[][] attentionScratch;

    // What the tasks work on; written by the owner before it starts one.
    private MemorySegment pool = MemorySegment.NULL;
    private int layer;
    private int pairsPerPart;

    /// Loads the weights; closing the backend closes the checkpoint.
    ///
    /// @param threads of the kernels, the caller's included
    CpuBackend(Checkpoint checkpoint, int threads, int blockTokens) throws ModelFormatException {
        this.checkpoint = checkpoint;
        this.config = checkpoint.config();
        this.kvShape =
                new KvShape(config.layers(), config.kvHeads(), blockTokens, config.headDim());
        try {
            this.weights = CpuWeights.load(checkpoint, arena);
        } catch (ModelFormatException | RuntimeException e) {
            arena.close();
            throw e;
        }
        RopeFrequencies frequencies =
                RopeFrequencies.of(config.ropeTheta(), config.headDim(), config.ropeScaling());
        this.rope =
                new RopeTable(
                        frequencies.inverse(),
                        frequencies.attentionFactor(),
                        config.contextTokensMax());
        this.attention = new PagedAttention(kvShape, config.heads());
        this.team = new ThreadTeam(threads);
        this.products = new CpuProducts(team, PARALLEL_FLOPS_MIN, weights.head());
        this.scratch = new CpuScratch(config);
        this.attentionScratch = new float[threads][0];
    }

    @Override
    public String deviceName() {
        return "CPU, %d thread%s, %d-bit vectors"
                .formatted(
                        team.threads(),
                        team.threads() == 1 ? "" : "s",
                        PackedMatrix.PANEL / 2 * Float.SIZE);
    }

    @Override
    public int vocabulary() {
        return config.vocabulary();
    }

    @Override
    public int contextTokensMax() {
        return config.contextTokensMax();
    }

    @Override
    public KvShape kvShape() {
        return kvShape;
    }

    /// {@inheritDoc}
    ///
    /// @throws IllegalArgumentException a token, position or block is out of range, or the pool has another shape;
    ///     then nothing has been written
    @Override
    public Logits forward(RaggedBatch batch, KvPool pool, LayerListener listener) {
        int context = BatchChecks.contextTokens(batch, pool, config, kvShape);
        if (batch.rows() == 0) {
            return new Logits(scratch.logitsMemory, 0, config.vocabulary());
        }
        this.pool = pool.memory();
        scratch.prepare(batch, kvShape.blockTokens());
        rope.ensure(context);
        growAttentionScratch(context);
        embed(batch);
        for (layer = 0; layer < config.layers(); layer++) {
            CpuWeights.Layer w = weights.layers().get(layer);
            attentionBlock(w, listener);
            mlpBlock(w);
        }
        return sampleLogits(batch);
    }

    /// Measures products with this model's largest matrix, the LM head.
    DeviceSpeed measure() {
        return CpuSpeed.measure(products, weights.head());
    }

    @Override
    public void close() {
        team.close();
        arena.close();
        checkpoint.close();
    }

    private void embed(RaggedBatch batch) {
        for (int i = 0; i < batch.tokenCount(); i++) {
            weights.embedding().readRow(batch.token(i), scratch.residual, i * config.hidden());
        }
    }

    private void attentionBlock(CpuWeights.Layer w, LayerListener listener) {
        int tokens = scratch.tokens;
        int hidden = config.hidden();
        int width = config.queryWidth() + 2 * config.kvWidth();
        normalize(w.attentionNorm());
        products.multiply(
                scratch.normed, hidden, tokens, w.queryKeyValue(), scratch.projected, width);
        addBias(scratch.projected, width, w.queryKeyValueBias());
        for (int i = 0; i < tokens; i++) {
            rotateAndStore(w, i, i * width);
        }
        listener.layersDone(layer + 1);
        attend(tokens * config.kvHeads());
        products.multiply(
                scratch.attended, config.queryWidth(), tokens, w.output(), scratch.delta, hidden);
        addBias(scratch.delta, hidden, w.outputBias());
        Rows.add(scratch.residual, 0, scratch.delta, 0, tokens * hidden);
    }

    /// Normalises and rotates the queries and keys of token i, whose projections start at `at`, and stores its keys and
    /// values in the pool.
    private void rotateAndStore(CpuWeights.Layer w, int i, int at) {
        float[] x = scratch.projected;
        int headDim = config.headDim();
        int keys = at + config.queryWidth();
        int values = keys + config.kvWidth();
        float[] queryNorm = w.queryNorm();
        float[] keyNorm = w.keyNorm();
        if (queryNorm != null && keyNorm != null) {
            for (int from = at; from < values; from += headDim) {
                float[] norm = from < keys ? queryNorm : keyNorm;
                Rows.rmsNorm(x, from, headDim, norm, config.normEpsilon(), x, from);
            }
        }
        int position = scratch.position[i];
        rope.rotate(x, at, config.heads() + config.kvHeads(), position);
        int inBlock = position % kvShape.blockTokens();
        int block = scratch.blocks[scratch.blocksFrom[i] + position / kvShape.blockTokens()];
        long blockFloats = block * kvShape.blockFloats();
        for (int head = 0; head < config.kvHeads(); head++) {
            long key = blockFloats + kvShape.keyOffset(layer, head, inBlock);
            long value = blockFloats + kvShape.valueOffset(layer, head, inBlock);
            copyToPool(x, keys + head * headDim, key);
            copyToPool(x, values + head * headDim, value);
        }
    }

    private void copyToPool(float[] x, int from, long toFloat) {
        MemorySegment.copy(
                x,
                from,
                pool,
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                toFloat * Float.BYTES,
                config.headDim());
    }

    /// Attention of all (token, KV head) pairs.
    private void attend(int pairs) {
        long flops = 4L * config.queryWidth() * scratch.visibleTokens;
        boolean alone = flops < PARALLEL_FLOPS_MIN;
        // A pair's cost grows with its position, so parts are small: late long ones would leave
        // threads idle.
        pairsPerPart = alone ? pairs : Math.max(1, pairs / (team.threads() * 32));
        team.run(Math.ceilDiv(pairs, pairsPerPart), attendTask);
    }

    private void attendPart(int part, int thread) {
        int group = config.heads() / config.kvHeads() * config.headDim();
        int width = config.queryWidth() + 2 * config.kvWidth();
        int last = Math.min((part + 1) * pairsPerPart, scratch.tokens * config.kvHeads());
        for (int pair = part * pairsPerPart; pair < last; pair++) {
            int token = pair / config.kvHeads();
            int kvHead = pair % config.kvHeads();
            attention.attend(
                    scratch.projected,
                    token * width + kvHead * group,
                    layer,
                    kvHead,
                    scratch.position[token],
                    config.windows().get(layer),
                    pool,
                    scratch.blocks,
                    scratch.blocksFrom[token],
                    attentionScratch[thread],
                    scratch.attended,
                    token * config.queryWidth() + kvHead * group);
        }
    }

    private void mlpBlock(CpuWeights.Layer w) {
        int tokens = scratch.tokens;
        int hidden = config.hidden();
        int inner = config.intermediate();
        normalize(w.mlpNorm());
        products.multiply(scratch.normed, hidden, tokens, w.gateUp(), scratch.projected, 2 * inner);
        addBias(scratch.projected, 2 * inner, w.gateUpBias());
        team.run(Math.ceilDiv(tokens, TOKENS_PER_PART), activateTask);
        products.multiply(scratch.attended, inner, tokens, w.down(), scratch.delta, hidden);
        addBias(scratch.delta, hidden, w.downBias());
        Rows.add(scratch.residual, 0, scratch.delta, 0, tokens * hidden);
    }

    private void activatePart(int part, int thread) {
        int inner = config.intermediate();
        int last = Math.min((part + 1) * TOKENS_PER_PART, scratch.tokens);
        for (int i = part * TOKENS_PER_PART; i < last; i++) {
            Rows.swiGlu(scratch.projected, i * 2 * inner, inner, scratch.attended, i * inner);
        }
    }

    private Logits sampleLogits(RaggedBatch batch) {
        int hidden = config.hidden();
        int samples = 0;
        for (int row = 0; row < batch.rows(); row++) {
            if (batch.samples(row)) {
                int last = batch.tokenStart(row) + batch.count(row) - 1;
                Rows.rmsNorm(
                        scratch.residual,
                        last * hidden,
                        hidden,
                        weights.finalNorm(),
                        config.normEpsilon(),
                        scratch.normed,
                        samples * hidden);
                samples++;
            }
        }
        scratch.growLogits(samples);
        if (samples > 0) {
            products.multiply(
                    scratch.normed,
                    hidden,
                    samples,
                    weights.head(),
                    scratch.logits,
                    config.vocabulary());
        }
        return new Logits(scratch.logitsMemory, samples, config.vocabulary());
    }

    private void normalize(float[] norm) {
        int hidden = config.hidden();
        for (int i = 0; i < scratch.tokens; i++) {
            int at = i * hidden;
            Rows.rmsNorm(
                    scratch.residual, at, hidden, norm, config.normEpsilon(), scratch.normed, at);
        }
    }

    private void addBias(float[] x, int width, float @Nullable [] bias) {
        if (bias != null) {
            for (int i = 0; i < scratch.tokens; i++) {
                Rows.add(x, i * width, bias, 0, width);
            }
        }
    }

    private void growAttentionScratch(int context) {
        int floats = attention.scratchFloats(context);
        for (int thread = 0; thread < attentionScratch.length; thread++) {
            if (attentionScratch[thread].length < floats) {
                attentionScratch[thread] = new float[floats + floats / 2];
            }
        }
    }
}
