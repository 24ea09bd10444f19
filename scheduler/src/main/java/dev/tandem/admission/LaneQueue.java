package dev.tandem.admission;

/// The tenants with work waiting in one lane, and the lane's own counter among the lanes.
final class LaneQueue extends VirtualCounter {
    final VirtualTokenCounters tenants;

    /// Used instead of the tenants' flows where the queue is not fair to tenants.
    final TenantFlow common;

    LaneQueue(double share, int order, boolean lifts) {
        super(share, order);
        this.tenants = new VirtualTokenCounters(lifts);
        this.common = new TenantFlow(this, 1, 0);
    }
}
