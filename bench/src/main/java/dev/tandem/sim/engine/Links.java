package dev.tandem.sim.engine;

import java.util.Map;

/// What lies between workers.
///
/// @param within between two workers of the same zone
/// @param across between two of different zones
/// @param exceptions pairs of zones that differ from that; a pair counts in both directions unless both are given
public record Links(Link within, Link across, Map<ZonePair, Link> exceptions) {
    /// @param bytesPerSecond what one transfer can use at most
    /// @param latencyNanos from the first byte's sending to its arrival
    public record Link(double bytesPerSecond, long latencyNanos) {
        public Link {
            if (!(bytesPerSecond > 0) || latencyNanos < 0) {
                throw new IllegalArgumentException(
                        "a link needs a positive bandwidth and no negative latency, has %s B/s and %d ns"
                                .formatted(bytesPerSecond, latencyNanos));
            }
        }
    }

    public record ZonePair(String from, String to) {}

    public Links {
        exceptions = Map.copyOf(exceptions);
    }

    /// The same everywhere.
    public static Links uniform(double bytesPerSecond, long latencyNanos) {
        Link link = new Link(bytesPerSecond, latencyNanos);
        return new Links(link, link, Map.of());
    }

    Link between(String from, String to) {
        Link exception = exceptions.get(new ZonePair(from, to));
        if (exception == null) {
            exception = exceptions.get(new ZonePair(to, from));
        }
        if (exception != null) {
            return exception;
        }
        return from.equals(to) ? within : across;
    }
}
