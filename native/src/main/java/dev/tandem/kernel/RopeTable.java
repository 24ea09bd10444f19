package dev.tandem.kernel;

/// Cosines and sines of rotary angles, computed page by page as positions are first used, so that a long context costs
/// nothing until it is reached. Filled by one thread ([#ensure]); read by any that sees the fill.
public final class RopeTable {
    /// Positions in a page.
    public static final int PAGE_POSITIONS = 256;

    private final float[] inverseFrequencies;
    private final float attentionFactor;
    private final float[][] cosines;
    private final float[][] sines;
    private int pagesReady;

    /// @param inverseFrequencies `[headDim / 2]`, radians per position
    /// @param attentionFactor multiplies every cosine and sine
    public RopeTable(float[] inverseFrequencies, float attentionFactor, int positionsMax) {
        this.inverseFrequencies = inverseFrequencies.clone();
        this.attentionFactor = attentionFactor;
        int pages = Math.ceilDiv(positionsMax, PAGE_POSITIONS);
        this.cosines = new float[pages][];
        this.sines = new float[pages][];
    }

    /// Makes the positions `[0, positions)` ready.
    public void ensure(int positions) {
        for (; pagesReady * PAGE_POSITIONS < positions; pagesReady++) {
            int half = inverseFrequencies.length;
            float[] cosine = new float[PAGE_POSITIONS * half];
            float[] sine = new float[PAGE_POSITIONS * half];
            for (int i = 0; i < cosine.length; i++) {
                int position = pagesReady * PAGE_POSITIONS + i / half;
                // The angle is rounded to float32 before the cosine, as transformers does.
                float angle = position * inverseFrequencies[i % half];
                cosine[i] = (float) StrictMath.cos(angle) * attentionFactor;
                sine[i] = (float) StrictMath.sin(angle) * attentionFactor;
            }
            cosines[pagesReady] = cosine;
            sines[pagesReady] = sine;
        }
    }

    /// Rotates `heads` heads of `2 * inverseFrequencies.length` dimensions each, which lie one after the other.
    public void rotate(float[] x, int from, int heads, int position) {
        int half = inverseFrequencies.length;
        float[] cosine = cosines[position / PAGE_POSITIONS];
        float[] sine = sines[position / PAGE_POSITIONS];
        int tableFrom = position % PAGE_POSITIONS * half;
        for (int head = 0; head < heads; head++) {
            Rows.rotate(x, from + head * 2 * half, 2 * half, cosine, sine, tableFrom);
        }
    }
}
