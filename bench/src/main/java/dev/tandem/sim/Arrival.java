package dev.tandem.sim;

import dev.tandem.admission.Terms;
import dev.tandem.core.Prompt;

/// One request of a workload.
///
/// @param nanos when it arrives, from the start of the run
/// @param prompt its tokens may be one array shared by all prompts where only lengths and hashes are known
/// @param outputTokens what it generates, if nothing cuts it short; at least 1
/// @param cancelAfterNanos the client goes away so long after the arrival; 0 = it stays
public record Arrival(
        long nanos, Prompt prompt, int outputTokens, Terms terms, long cancelAfterNanos) {}
