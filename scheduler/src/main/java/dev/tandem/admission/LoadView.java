package dev.tandem.admission;

/// What admission asks about the present load; the core answers from its own state. Seconds are predictions, all finite
/// and at least 0.
public interface LoadView {
    /// Predicted seconds from now to the first token of a prompt that joins the queue now.
    ///
    /// @param shedTokens waiting tokens of lower lanes that would be gone
    double predictedTtftSeconds(int promptTokens, Lane lane, long shedTokens);

    /// The same prompt with nobody before it. What no waiting makes better or worse is not a reason to refuse.
    double unloadedTtftSeconds(int promptTokens);

    /// Predicted seconds from one output token to the next.
    double predictedTpotSeconds();

    /// Tokens that wait in a lane ([FairQueue#tokens(Lane)]).
    long queuedTokens(Lane lane);

    /// Of these, tokens that may be shed ([FairQueue#shedTokens(Lane)]).
    long shedTokens(Lane lane);

    /// Sequences of a lane that may be shed ([FairQueue#shedSequences(Lane)]).
    int shedSequences(Lane lane);

    /// Prompt tokens that have left the queue and are not computed yet: they go before whatever waits.
    long placedTokens();

    /// Sequences that wait, all lanes.
    int queuedSequences();

    /// Waiting tokens that left the queue per second, of late; 0 = none did, or nothing is known yet.
    double drainTokensPerSecond();
}
