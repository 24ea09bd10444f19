package dev.tandem.template;

/// A string builder that charges the [Budget] for what it holds and stops at its own length limit.
final class TextBuilder {
    private final StringBuilder text = new StringBuilder();
    private final Budget budget;
    private final int charsMax;

    TextBuilder(Budget budget, int charsMax) {
        this.budget = budget;
        this.charsMax = charsMax;
    }

    TextBuilder append(String piece) {
        budget.reserve(piece.length());
        if (piece.length() > charsMax - text.length()) {
            throw PyError.limit("output of more than " + charsMax + " characters");
        }
        text.append(piece);
        return this;
    }

    TextBuilder append(char piece) {
        budget.reserve(1);
        text.append(piece);
        return this;
    }

    TextBuilder appendCodePoint(int codePoint) {
        budget.reserve(Character.charCount(codePoint));
        text.appendCodePoint(codePoint);
        return this;
    }

    TextBuilder repeat(String piece, long times) {
        budget.reserve(times <= 0 ? 0 : Math.multiplyExact(times, (long) piece.length()));
        text.repeat(piece, (int) Math.max(times, 0));
        return this;
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
