package dev.tandem.admission;

/// The service one party (a tenant in a lane, or a lane) has had, divided by its weight, and what is promised to it.
class VirtualCounter {
    private final double inverseWeight;

    /// Breaks ties: the lower goes first.
    final int order;

    private double served;

    /// Service units placed and not computed yet.
    private long owedUnits;

    /// Service units computed, ever; not touched by lifts.
    private long servedUnits;

    // Owned by VirtualTokenCounters.
    double heapKey;
    int heapIndex = -1;
    int skips;

    VirtualCounter(double weight, int order) {
        this.inverseWeight = 1 / weight;
        this.order = order;
    }

    /// What the order looks at: the smallest is served next.
    final double key() {
        return served + owedUnits * inverseWeight;
    }

    final long owedUnits() {
        return owedUnits;
    }

    final long servedUnits() {
        return servedUnits;
    }

    /// @param paidUnits how much less is owed now
    final void charge(long units, long paidUnits) {
        served += units * inverseWeight;
        servedUnits += units;
        owedUnits -= paidUnits;
    }

    final void owe(long units) {
        owedUnits += units;
    }

    final void liftTo(double key) {
        served += Math.max(0, key - key());
    }
}
