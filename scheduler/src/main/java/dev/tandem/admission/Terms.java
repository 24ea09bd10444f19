package dev.tandem.admission;

import org.jspecify.annotations.Nullable;

/// How a request wants to be treated, as the front understood it. Nothing here is trusted: lane and output are cut to what
/// tenant and workload class allow.
///
/// @param tenant who pays; empty = nobody in particular, all such requests are one tenant
/// @param workload name or route of a [WorkloadClass]; an unknown one is the default class
/// @param lane null = the lane of the workload class
/// @param model the model asked for, empty = the only one
/// @param zone where the client is, empty = unknown
/// @param affinityKey requests with equal keys like to meet on one replica, 0 = no wish
/// @param deadlineNanos monotonic time by which the last token must be there, 0 = none
public record Terms(
        String tenant,
        String workload,
        @Nullable Lane lane,
        String model,
        String zone,
        long affinityKey,
        long deadlineNanos) {

    private static final Terms NONE = new Terms("", "", null, "", "", 0, 0);

    /// No wishes at all.
    public static Terms none() {
        return NONE;
    }
}
