package dev.tandem.api;

import java.util.List;
import java.util.Set;

/// How a request wants its answer: what concerns text and JSON, and not the workers.
///
/// @param stream as server-sent events
/// @param includeUsage whether a stream ends with a chunk of usage
/// @param returnTokenIds whether ids of prompt and output are reported
/// @param skipSpecialTokens whether special tokens leave no text
/// @param stopStrings never empty strings
/// @param includeStop whether the text contains what stopped it
/// @param logprobs whether the chosen tokens' log-probabilities are reported
/// @param topLogprobs how many alternatives with each, 0..20
/// @param stopTokenIds ids that end a choice; no text comes from the one that does
/// @param endOfSequenceIds those of `stopTokenIds` that are the model's own
record OutputOptions(
        boolean stream,
        boolean includeUsage,
        boolean returnTokenIds,
        boolean skipSpecialTokens,
        List<String> stopStrings,
        boolean includeStop,
        boolean logprobs,
        int topLogprobs,
        Set<Integer> stopTokenIds,
        Set<Integer> endOfSequenceIds) {}
