package dev.tandem.batching;

/// First come, first served.
public final class FirstComeOrder implements PrefillOrder {
    @Override
    public long rankNanos(long arrivalNanos, double prefillNanos) {
        return arrivalNanos;
    }
}
