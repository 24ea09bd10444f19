package dev.tandem.admission;

/// A sequence of the tests: a prompt and the output it will have.
final class Waiting extends QueueEntry {
    final int prompt;
    final int output;
    long arrivalNanos;
    boolean isResumed;
    int cached;
    int computed;
    int produced;

    /// Own work that goes first, and all service so far, when it was added; in service units.
    double unitsAhead;

    double unitsServedBefore;

    Waiting(long id, Lane lane, TenantAccount account, int prompt, int output) {
        super(id, lane, account);
        this.prompt = prompt;
        this.output = output;
        this.arrivalNanos = id;
    }

    @Override
    public long rankNanos() {
        return arrivalNanos;
    }

    @Override
    public long arrivalNanos() {
        return arrivalNanos;
    }

    @Override
    public int waitingTokens() {
        return prompt + produced;
    }

    @Override
    public int owedTokens() {
        return prompt - cached;
    }

    @Override
    public boolean isResumed() {
        return isResumed;
    }

    @Override
    public String toString() {
        return account().tenant() + "/" + lane() + "/" + sequenceId();
    }
}
