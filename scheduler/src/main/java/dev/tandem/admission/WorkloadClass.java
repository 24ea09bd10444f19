package dev.tandem.admission;

import java.util.List;

/// A class of work with objectives of its own, by configuration.
///
/// @param name what [Terms#workload] calls it
/// @param routes other words for it, for example HTTP routes such as `/v1/chat/completions`
/// @param lane the lane of its requests that ask for none
/// @param ttftMillis objective for the time to the first token, 0 = none: then it is never refused by prediction
/// @param tpotMillis objective for the time per output token, 0 = none
/// @param outputTokensMax a request may ask for more, but gets no more
/// @param outputTokensExpected what a request is taken to generate when its budget and deadline are judged
public record WorkloadClass(
        String name,
        List<String> routes,
        Lane lane,
        int ttftMillis,
        int tpotMillis,
        int outputTokensMax,
        int outputTokensExpected) {

    private static final int UNLIMITED = Integer.MAX_VALUE;

    /// The class of requests that name none. It has no objectives and no output cap: nobody is refused for a prediction
    /// who has not asked for that.
    public static WorkloadClass defaults() {
        return new WorkloadClass("default", List.of(), Lane.DEFAULT, 0, 0, UNLIMITED, 256);
    }

    public WorkloadClass {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a workload class needs a name");
        }
        String owner = "workload class '" + name + "': ";
        Limits.requireAtLeast(owner + "ttftMillis", ttftMillis, 0);
        Limits.requireAtLeast(owner + "tpotMillis", tpotMillis, 0);
        Limits.requireAtLeast(owner + "outputTokensMax", outputTokensMax, 1);
        Limits.requireAtLeast(owner + "outputTokensExpected", outputTokensExpected, 1);
        routes = List.copyOf(routes);
    }

    /// Output tokens that a request gets at most.
    ///
    /// @param requestedMax what the client allows
    public int outputTokens(int requestedMax) {
        return Math.min(requestedMax, outputTokensMax);
    }

    /// Output tokens that a request is taken to generate.
    public int expectedOutputTokens(int requestedMax) {
        return Math.min(outputTokens(requestedMax), outputTokensExpected);
    }
}
