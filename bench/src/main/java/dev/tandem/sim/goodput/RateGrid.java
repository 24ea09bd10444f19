package dev.tandem.sim.goodput;

/// The rates that are tried: `least x (1 + tolerance)^index`.
///
/// @param leastPerSecond the rate of index 0
/// @param tolerance relative distance of neighbours, so the error of an answer
/// @param size rates; one less than a power of two makes bisections of several cells meet at the same points
public record RateGrid(double leastPerSecond, double tolerance, int size) {
    /// From 0.05 to about 1,200 requests a second, 2 % apart.
    public static RateGrid standard() {
        return new RateGrid(0.05, 0.02, 511);
    }

    public RateGrid {
        if (!(leastPerSecond > 0) || !(tolerance > 0) || size < 1) {
            throw new IllegalArgumentException(
                    "no grid of %d rates from %s, %s apart"
                            .formatted(size, leastPerSecond, tolerance));
        }
    }

    public double rate(int index) {
        return leastPerSecond * Math.pow(1 + tolerance, index);
    }

    /// The index whose rate is nearest, within the grid.
    public int nearest(double ratePerSecond) {
        double index = Math.log(ratePerSecond / leastPerSecond) / Math.log(1 + tolerance);
        return (int) Math.clamp(Math.round(index), 0, size - 1);
    }
}
