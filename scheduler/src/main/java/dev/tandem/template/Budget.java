package dev.tandem.template;

/// What is left of the [TemplateLimits] in one rendering. One thread.
final class Budget {
    private static final int SCAN_CHARS_PER_STEP = 4096;

    private final TemplateLimits limits;
    private long steps;
    private long createdChars;
    private int callDepth;

    Budget(TemplateLimits limits) {
        this.limits = limits;
    }

    void step() {
        steps(1);
    }

    void steps(long count) {
        steps += count;
        if (steps > limits.stepsMax()) {
            throw PyError.limit("more than " + limits.stepsMax() + " steps");
        }
    }

    /// Charges a search of `needle` in `hay`, whose worst case is the product of their lengths.
    void scan(String hay, String needle) {
        steps((long) hay.length() * needle.length() / SCAN_CHARS_PER_STEP);
    }

    /// Charges text before it is made, so that a product of two lengths never reaches the heap.
    void reserve(long chars) {
        createdChars += chars;
        if (chars < 0 || createdChars > limits.createdCharsMax()) {
            throw PyError.limit(
                    "strings of more than " + limits.createdCharsMax() + " characters together");
        }
    }

    void enter() {
        if (++callDepth > limits.callDepthMax()) {
            throw PyError.limit("calls nested deeper than " + limits.callDepthMax());
        }
    }

    void leave() {
        callDepth--;
    }

    TextBuilder text() {
        return new TextBuilder(this, Integer.MAX_VALUE);
    }

    TextBuilder output() {
        return new TextBuilder(this, limits.outputCharsMax());
    }
}
