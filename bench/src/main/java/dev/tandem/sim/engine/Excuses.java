package dev.tandem.sim.engine;

import dev.tandem.admission.AdmissionOptions;
import dev.tandem.admission.Terms;
import dev.tandem.core.Commands;
import dev.tandem.core.ErrorCategory;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/// Which requests the core may leave without an answer, by what they asked for and what it was configured to refuse. A
/// request whose client has a token already is never turned away for lack of room: only its own deadline may end it. Owned
/// by the simulation.
final class Excuses {
    private static final int RETRY_MILLIS_MIN = 1_000;

    private final AdmissionOptions admission;
    private final Map<Long, Terms> terms = new HashMap<>();
    private final Set<Long> started = new HashSet<>();

    Excuses(AdmissionOptions admission) {
        this.admission = admission;
    }

    void submitted(long sequence, Terms asked) {
        terms.put(sequence, asked);
    }

    void token(long sequence) {
        started.add(sequence);
    }

    void gone(long sequence) {
        terms.remove(sequence);
        started.remove(sequence);
    }

    /// @return why the core had no right to it, null if it had
    @Nullable String problem(Commands.Failed failed) {
        Terms asked = terms.get(failed.sequence());
        if (asked == null || failed.category() != ErrorCategory.CAPACITY) {
            return "a request fails that could be served";
        }
        boolean hasDeadline = asked.deadlineNanos() != 0;
        if (failed.code().equals("deadline_exceeded")) {
            return hasDeadline ? null : "a deadline ends a request that has none";
        }
        if (started.contains(failed.sequence())) {
            return "a request is turned away whose client has tokens";
        }
        return switch (failed.code()) {
            case "deadline_unreachable" ->
                    hasDeadline ? null : "a deadline refuses a request that has none";
            case "zone_overloaded" ->
                    asked.zone().isEmpty() ? "no zone was asked for" : wait(failed);
            case "overloaded" ->
                    admission.rules().isEmpty() ? "nothing may be refused" : wait(failed);
            case "rate_limit_exceeded", "tenant_budget_exceeded" ->
                    admission.rules().isEmpty() ? "nothing may be refused" : null;
            default -> "a request fails that could be served";
        };
    }

    private static @Nullable String wait(Commands.Failed failed) {
        return failed.retryAfterMillis() < RETRY_MILLIS_MIN
                ? "a client is told to come back at once"
                : null;
    }
}
