package dev.tandem.sim.workload;

/// A sequence of requests that can be read from its beginning as often as wanted, also by several threads, each with a
/// reader of its own. Every reading gives the same rows.
public interface Trace {
    /// For people: a file's name, or what is generated.
    String name();

    long rows();

    /// Tokens that one of a row's ids stands for; 0 where rows have no ids.
    int tokensPerId();

    /// Tokens of a KV block that suit this trace best.
    default int blockTokens() {
        return tokensPerId() > 0 ? tokensPerId() : 16;
    }

    RowReader open();
}
