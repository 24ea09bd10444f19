package dev.tandem.batching;

/// Short prompts first, with ageing: `rank = arrival + stretch x predicted prefill time`. A prompt of `s` seconds is
/// overtaken only by shorter ones that arrive within `stretch x s` after it, so its wait is bounded by what arrives in that
/// window. With `stretch` 0 it is first come, first served; large, it is shortest job first.
///
/// The stretched time is what queueing theory calls slowdown: all prompts are aimed at the same ratio of wait to work
/// (Bender, Muthukrishnan, Rajaraman, *Improved algorithms for stretch scheduling*, SODA 2002).
///
/// @param stretch seconds of wait per second of work, 0 or more
public record SizeAwareOrder(double stretch) implements PrefillOrder {
    @Override
    public long rankNanos(long arrivalNanos, double prefillNanos) {
        return arrivalNanos + (long) (stretch * prefillNanos);
    }
}
