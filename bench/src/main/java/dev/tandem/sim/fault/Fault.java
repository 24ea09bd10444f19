package dev.tandem.sim.fault;

/// One thing that breaks.
///
/// @param atNanos when; kinds that concern a single message take the first one after that
/// @param node whom it hits, an index into the cluster's replicas
/// @param other the second one of a partition between workers
/// @param durationNanos how long it lasts; of a crash, until the worker is back
/// @param magnitude what the kind says; else 0
public record Fault(
        FaultKind kind, long atNanos, int node, int other, long durationNanos, double magnitude) {

    @Override
    public String toString() {
        String text = "%s at %.3f ms, replica %d".formatted(kind.text(), atNanos / 1e6, node);
        if (other != node) {
            text += " and replica " + other;
        }
        if (durationNanos > 0) {
            text += ", for %.3f ms".formatted(durationNanos / 1e6);
        }
        return magnitude == 0 ? text : text + ", by %.4g".formatted(magnitude);
    }
}
