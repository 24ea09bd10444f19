package dev.tandem.sim.goodput;

/// Something that can be asked for a rate and tells how it went.
@FunctionalInterface
public interface Trial {
    Outcome run(double ratePerSecond);

    /// @param counted requests that were not cancelled by their client
    /// @param met of these, by cell
    /// @param completed of these
    /// @param gapMaxMillis longest wait for a next token of any request
    /// @param wallSeconds what the run took
    record Outcome(
            long counted,
            long[] met,
            long completed,
            long refused,
            double arrivalSeconds,
            double gapMaxMillis,
            double wallSeconds) {
        public double share(int cell) {
            return counted == 0 ? 0 : (double) met[cell] / counted;
        }

        /// Requests per second that met a cell's objectives.
        public double goodput(int cell) {
            return arrivalSeconds == 0 ? 0 : met[cell] / arrivalSeconds;
        }
    }
}
