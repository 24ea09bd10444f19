package dev.tandem.api;

import dev.tandem.api.GenerationService.GenerationRequest;

import java.util.List;

/// A checked request of either endpoint, ready to be submitted.
///
/// @param sequences one per choice, at the choice's index: all choices of the first prompt, then of the second
/// @param choicesPerPrompt the request's `n`; the choices of a prompt share its array
record CompletionRequest(
        List<GenerationRequest> sequences, int choicesPerPrompt, OutputOptions output) {

    /// Each prompt counted once, however many choices it has.
    int promptTokens() {
        int tokens = 0;
        for (int i = 0; i < sequences.size(); i += choicesPerPrompt) {
            tokens += sequences.get(i).promptTokens().length;
        }
        return tokens;
    }
}
