package dev.tandem.cli;

/// When a child that has died is started again.
///
/// @param waitMillisMin wait before the first restart; it doubles with every further death
/// @param waitMillisMax where the doubling ends
/// @param stableMillis a child that has lived so long starts over with the shortest wait
/// @param startsMax deaths of one child, before all were ready once, after which the supervisor gives up
record RestartPolicy(int waitMillisMin, int waitMillisMax, int stableMillis, int startsMax) {
    static final RestartPolicy DEFAULT = new RestartPolicy(200, 10_000, 30_000, 5);

    /// The wait after the n-th death in a row, milliseconds; n from 1.
    int waitMillis(int deaths) {
        int doublings = Math.min(deaths - 1, 20);
        return (int) Math.min(waitMillisMax, (long) waitMillisMin << doublings);
    }
}
