package dev.tandem.coordinator;

import dev.tandem.api.GenerationService.TokenSink;
import dev.tandem.core.Event;
import dev.tandem.wire.WorkerMessage;

/// What other threads hand to the coordinator's agent.
sealed interface AgentMessage {
    record FromWorker(WorkerLink link, WorkerMessage message) implements AgentMessage {}

    record LinkClosed(WorkerLink link, String reason) implements AgentMessage {}

    record Submission(Event.Submit submit, TokenSink sink, long submittedNanos)
            implements AgentMessage {}

    /// @param satisfied the client has what it wanted: a stop string matched
    record Cancellation(long sequence, boolean satisfied) implements AgentMessage {}
}
