package dev.tandem.engine;

import dev.tandem.device.Logits;
import dev.tandem.wire.TokenLogprobs;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Draws a token from a row of logits. The operations, in this order:
///
/// 1. logit bias is added;
/// 2. repetition penalty r on every id in prompt or output: `l > 0 ? l / r : l * r`;
/// 3. frequency penalty times count, 4. presence penalty, both over the output only, are subtracted;
/// 5. temperature divides; below 1e-5 the largest logit wins (lowest id on a tie);
/// 6. top-k keeps `l >=` the k-th largest; 7. top-p keeps, falling, a token while the mass before it is below p,
///    the first always (equal logits: lowest id first); 8. min-p keeps `p >= minP * pMax`; 9. softmax.
///
/// 1 to 4 are vLLM V1's order; min-p comes last as in transformers and vLLM V0 (vLLM V1 applies it first).
/// All arithmetic is in double. One uniform number of [Philox], keyed by (seed, position), is looked up in the
/// cumulative sum over the kept ids in ascending order. So the token is a function of the row, the sampling
/// state, the seed and the position alone.
///
/// A NaN counts as minus infinity; of a row with nothing above minus infinity token 0 is drawn, since one broken
/// sequence must not take the others down. [#lastRowWasBroken] tells.
///
/// Nothing is allocated per token, except for the log-probabilities asked for. Top-k is one pass with a heap of k, or
/// quickselect where k is large; top-p leaves out what is too light to stay and finds the cut by quickselect.
/// Not thread-safe.
final class Sampler {
    /// Up to this k a heap finds the k-th largest in one pass; above, quickselect is faster.
    private static final int HEAP_MAX = 512;

    private final int vocabulary;
    private final Philox random = new Philox();

    /// The row as the backend gave it, `[vocabulary]`.
    private final float[] raw;

    /// After bias, penalties and temperature, by token id.
    private final double[] values;

    /// `exp(value - largest value)` of the tokens in `support`, by token id.
    private final double[] weights;

    /// Ids that can be drawn, ascending.
    private final int[] support;

    private int supportSize;
    private final int[] order;
    private final double[] heap = new double[HEAP_MAX];
    private boolean broken;

    /// @param vocabulary logits in a row
    Sampler(int vocabulary) {
        this.vocabulary = vocabulary;
        raw = new float[vocabulary];
        values = new double[vocabulary];
        weights = new double[vocabulary];
        support = new int[vocabulary];
        order = new int[vocabulary];
    }

    /// Draws the token at `position` of its sequence, that is with index `position`, counted from 0.
    int sample(Logits logits, int row, SamplingState state, long position) {
        computeDistribution(logits, row, state);
        if (supportSize == 1) {
            return support[0];
        }
        double total = 0;
        for (int i = 0; i < supportSize; i++) {
            total += weights[support[i]];
        }
        double target = random.uniform(state.seed, position) * total;
        double cumulative = 0;
        for (int i = 0; i < supportSize; i++) {
            cumulative += weights[support[i]];
            if (cumulative > target) {
                return support[i];
            }
        }
        throw new AssertionError("cumulative sum ended at " + cumulative + " of " + total);
    }

    /// Whether the row last sampled had no logit above minus infinity.
    boolean lastRowWasBroken() {
        return broken;
    }

    /// Log-softmax of the raw logits of the row last sampled, whatever the sampling state did to them.
    ///
    /// @param token the sampled one
    /// @param top how many of the most probable to add, lowest id first on a tie
    TokenLogprobs logprobs(int token, int top) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : raw) {
            max = Math.max(max, usable(logit));
        }
        double sum = 0;
        for (float logit : raw) {
            sum += Math.exp(usable(logit) - max);
        }
        double logSum = broken ? 0 : max + Math.log(sum);
        var result = TokenLogprobs.newBuilder().setLogprob((float) (usable(raw[token]) - logSum));
        int[] best = new int[Math.min(top, vocabulary)];
        int found = 0;
        for (int id = 0; id < vocabulary; id++) {
            double logit = usable(raw[id]);
            if (found == best.length && (found == 0 || logit <= usable(raw[best[found - 1]]))) {
                continue;
            }
            int at = found < best.length ? found++ : found - 1;
            while (at > 0 && logit > usable(raw[best[at - 1]])) {
                best[at] = best[at - 1];
                at--;
            }
            best[at] = id;
        }
        for (int id : best) {
            result.addTopTokens(id).addTopLogprobs((float) (usable(raw[id]) - logSum));
        }
        return result.build();
    }

    /// Leaves the ids that can be drawn in `support` and their weights in `weights`.
    void computeDistribution(Logits logits, int row, SamplingState state) {
        load(logits, row);
        if (state.greedy() && !state.changesLogits()) {
            keepOnly(largestRaw());
            return;
        }
        for (int id = 0; id < vocabulary; id++) {
            values[id] = usable(raw[id]);
        }
        applyBiasAndPenalties(state);
        int largest = largestValue();
        if (state.greedy() || broken) {
            keepOnly(largest);
            return;
        }
        for (int id = 0; id < vocabulary; id++) {
            values[id] /= state.temperature;
        }
        keepTopK(state.topK);
        double max = values[largest];
        for (int i = 0; i < supportSize; i++) {
            weights[support[i]] = Math.exp(values[support[i]] - max);
        }
        if (state.topP < 1) {
            keepTopP(state.topP);
        }
        if (state.minP > 0) {
            keepMinP(state.minP);
        }
    }

    int supportSize() {
        return supportSize;
    }

    int supportToken(int index) {
        return support[index];
    }

    double probability(int index) {
        double total = 0;
        for (int i = 0; i < supportSize; i++) {
            total += weights[support[i]];
        }
        return weights[support[index]] / total;
    }

    private void load(Logits logits, int row) {
        if (logits.vocabulary() != vocabulary || row < 0 || row >= logits.rows()) {
            throw new IllegalArgumentException(
                    "row %d of logits [%d, %d], vocabulary %d"
                            .formatted(row, logits.rows(), logits.vocabulary(), vocabulary));
        }
        MemorySegment.copy(
                logits.memory(),
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                (long) row * vocabulary * Float.BYTES,
                raw,
                0,
                vocabulary);
    }

    private static double usable(float logit) {
        return Float.isNaN(logit)
                ? Double.NEGATIVE_INFINITY
                : Math.min((double) logit, Float.MAX_VALUE);
    }

    private void keepOnly(int id) {
        support[0] = id;
        supportSize = 1;
        weights[id] = 1;
    }

    private int largestRaw() {
        int best = 0;
        float largest = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < vocabulary; id++) {
            if (raw[id] > largest) { // false for NaN
                largest = raw[id];
                best = id;
            }
        }
        broken = largest == Float.NEGATIVE_INFINITY;
        return best;
    }

    private int largestValue() {
        int best = 0;
        double largest = Double.NEGATIVE_INFINITY;
        for (int id = 0; id < vocabulary; id++) {
            if (values[id] > largest) {
                largest = values[id];
                best = id;
            }
        }
        broken = largest == Double.NEGATIVE_INFINITY;
        return best;
    }

    private void applyBiasAndPenalties(SamplingState state) {
        for (int i = 0; i < state.biases.length; i++) {
            values[state.biasTokens[i]] += state.biases[i];
        }
        TokenCounts counts = state.counts;
        if (counts == null) {
            return;
        }
        for (int slot = 0; slot < counts.distinct(); slot++) {
            int id = counts.token(slot);
            double value = values[id];
            value = value > 0 ? value / state.repetitionPenalty : value * state.repetitionPenalty;
            int count = counts.outputCount(slot);
            value -= (double) state.frequencyPenalty * count;
            if (count > 0) {
                value -= state.presencePenalty;
            }
            values[id] = value;
        }
    }

    private void keepTopK(int k) {
        double threshold =
                k == 0 || k >= vocabulary
                        ? Double.NEGATIVE_INFINITY
                        : k <= HEAP_MAX ? kthLargestByHeap(k) : kthLargestBySelection(k);
        supportSize = 0;
        for (int id = 0; id < vocabulary; id++) {
            if (values[id] >= threshold) {
                support[supportSize++] = id;
            }
        }
    }

    /// One pass over the values with a heap of the k largest so far, the smallest of them on top.
    private double kthLargestByHeap(int k) {
        System.arraycopy(values, 0, heap, 0, k);
        for (int parent = k / 2 - 1; parent >= 0; parent--) {
            siftDown(parent, k);
        }
        for (int id = k; id < vocabulary; id++) {
            if (values[id] > heap[0]) {
                heap[0] = values[id];
                siftDown(0, k);
            }
        }
        return heap[0];
    }

    private double kthLargestBySelection(int k) {
        for (int id = 0; id < vocabulary; id++) {
            order[id] = id;
        }
        int low = 0;
        int high = vocabulary;
        int pivot = partition(low, high);
        while (pivot != k - 1) {
            if (pivot < k - 1) {
                low = pivot + 1;
            } else {
                high = pivot;
            }
            pivot = partition(low, high);
        }
        return values[order[pivot]];
    }

    private void siftDown(int start, int size) {
        double moving = heap[start];
        int parent = start;
        while (2 * parent + 1 < size) {
            int child = 2 * parent + 1;
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= moving) {
                break;
            }
            heap[parent] = heap[child];
            parent = child;
        }
        heap[parent] = moving;
    }

    /// A token stays while the mass before it is below `limit`. One lighter than the mass to drop, spread over all,
    /// can't stay: it and those behind it weigh less than what is dropped. Leaving these out first makes what has
    /// to be ordered small.
    private void keepTopP(float topP) {
        double total = 0;
        for (int i = 0; i < supportSize; i++) {
            total += weights[support[i]];
        }
        double limit = Math.max(topP * total, Double.MIN_VALUE); // the first stays even with p = 0
        double lightest = (total - limit) / supportSize * (1 - 1e-9); // slack for rounding
        int candidates = 0;
        for (int i = 0; i < supportSize; i++) {
            if (weights[support[i]] >= lightest) {
                order[candidates++] = support[i];
            }
        }
        int cut = lastToStay(candidates, limit);
        int kept = 0;
        for (int i = 0; i < supportSize; i++) {
            int id = support[i];
            if (id == cut || before(id, cut)) {
                support[kept++] = id;
            }
        }
        supportSize = kept;
    }

    /// Quickselect by mass over `order[0, candidates)`.
    ///
    /// @return the last token, in falling order, with less than `limit` before it
    private int lastToStay(int candidates, double limit) {
        int low = 0;
        int high = candidates;
        double massBefore = 0; // of order[0, low), which stay
        while (low < high) {
            int pivot = partition(low, high);
            double mass = massBefore;
            for (int i = low; i < pivot; i++) {
                mass += weights[order[i]];
            }
            if (mass >= limit) {
                high = pivot;
            } else {
                massBefore = mass + weights[order[pivot]];
                low = pivot + 1;
            }
        }
        return order[low - 1]; // a pivot: all others before `low` are before it
    }

    /// Orders `order[low, high)` around the median of its first, middle and last token.
    private int partition(int low, int high) {
        int middle = (low + high) >>> 1;
        int last = high - 1;
        if (before(order[middle], order[low])) {
            swap(low, middle);
        }
        if (before(order[last], order[low])) {
            swap(low, last);
        }
        if (before(order[middle], order[last])) {
            swap(middle, last); // the median goes last
        }
        int pivot = order[last];
        int boundary = low;
        for (int i = low; i < last; i++) {
            if (before(order[i], pivot)) {
                swap(i, boundary++);
            }
        }
        swap(boundary, last);
        return boundary;
    }

    private boolean before(int id, int other) {
        return values[id] > values[other] || (values[id] == values[other] && id < other);
    }

    private void swap(int i, int j) {
        int id = order[i];
        order[i] = order[j];
        order[j] = id;
    }

    private void keepMinP(float minP) {
        int kept = 0;
        for (int i = 0; i < supportSize; i++) {
            if (weights[support[i]] >= minP) { // the largest weight is exp(0) = 1
                support[kept++] = support[i];
            }
        }
        supportSize = kept;
    }
}
