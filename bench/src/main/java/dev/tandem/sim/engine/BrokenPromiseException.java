package dev.tandem.sim.engine;

/// The core broke a promise of its own: a run that meets this has failed, whatever it was for.
public final class BrokenPromiseException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public BrokenPromiseException(String message) {
        super(message);
    }
}
