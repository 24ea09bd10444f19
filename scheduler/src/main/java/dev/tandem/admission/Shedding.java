package dev.tandem.admission;

/// How much of lower lanes could go, and how much has to.
final class Shedding {
    private Shedding() {}

    static long tokensBelow(Lane lane, LoadView load) {
        long tokens = 0;
        for (int i = lane.ordinal() + 1; i < Lane.COUNT; i++) {
            tokens += load.shedTokens(Lane.of(i));
        }
        return tokens;
    }

    static int sequencesBelow(Lane lane, LoadView load) {
        int sequences = 0;
        for (int i = lane.ordinal() + 1; i < Lane.COUNT; i++) {
            sequences += load.shedSequences(Lane.of(i));
        }
        return sequences;
    }

    /// How many tokens of lower lanes have to go for a first token within `ttftSecondsMax`, taking the prediction to be
    /// linear in them and checking the result.
    ///
    /// @return 0 = none; -1 = not even all of them would do
    static long tokensFor(AdmissionRequest request, LoadView load, double ttftSecondsMax) {
        int prompt = request.promptTokens();
        Lane lane = request.lane();
        double withAll = load.predictedTtftSeconds(prompt, lane, 0);
        if (withAll <= ttftSecondsMax) {
            return 0;
        }
        long below = tokensBelow(lane, load);
        if (below == 0) {
            return -1;
        }
        double withNone = load.predictedTtftSeconds(prompt, lane, below);
        if (withNone > ttftSecondsMax) {
            return -1;
        }
        double part = (withAll - ttftSecondsMax) / (withAll - withNone);
        long tokens = Math.clamp((long) Math.ceil(below * part), 1, below);
        return load.predictedTtftSeconds(prompt, lane, tokens) <= ttftSecondsMax ? tokens : below;
    }
}
