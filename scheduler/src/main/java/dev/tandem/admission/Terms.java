package dev.tandem.admission;

/// How a request wants to be treated; it comes with its submission. Immutable.
///
/// @param tenant whom it is charged to; empty = the common one
/// @param workload name of its workload class; empty = the default one
/// @param model empty = the only one
/// @param zone where its client is; empty = unknown
/// @param affinityKey requests with the same key like the same replica; 0 = none
/// @param deadlineNanos absolute, by the core's time; 0 = none
public record Terms(
        String tenant,
        String workload,
        Lane lane,
        String model,
        String zone,
        long affinityKey,
        long deadlineNanos) {
    private static final Terms NONE = new Terms("", "", Lane.DEFAULT, "", "", 0, 0);

    public static Terms none() {
        return NONE;
    }
}
