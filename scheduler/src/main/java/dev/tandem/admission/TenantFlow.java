package dev.tandem.admission;

/// What one tenant has waiting in one lane, and its counter there. With a counter per lane, work in one lane neither
/// pays for nor blocks work in another.
public final class TenantFlow extends VirtualCounter {
    final EntryHeap.ByRank entries = new EntryHeap.ByRank();
    final LaneQueue lane;

    /// Entries taken out for the rest of a visit.
    int aside;

    TenantFlow(LaneQueue lane, double weight, int order) {
        super(weight, order);
        this.lane = lane;
    }

    /// True if a new flow would be treated no differently.
    boolean equalsNew() {
        return heapIndex < 0 && owedUnits() == 0 && key() <= lane.tenants.floor();
    }
}
