package dev.tandem.process;

/// A process's main part, as [ProcessLife] sees it.
public interface ManagedProcess {
    /// Runs until stopped or failed, on the caller's thread.
    ///
    /// @return the exit code: 0 stopped, 1 failed
    int run();

    /// Asks [#run] to end in order; returns at once. Any thread, also before `run`, more than once.
    void stop(String reason);
}
