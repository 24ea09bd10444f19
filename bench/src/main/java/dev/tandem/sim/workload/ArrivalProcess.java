package dev.tandem.sim.workload;

import java.util.SplittableRandom;

/// When requests come: the gaps between them. Immutable; the state of a run is in its random source and the time.
public sealed interface ArrivalProcess {
    /// @param atSeconds when the request before came
    /// @return seconds until the next one, at least 0
    double gapSeconds(SplittableRandom random, double atSeconds);

    /// In the long run.
    double ratePerSecond();

    /// Independent arrivals: exponential gaps.
    record Poisson(double ratePerSecond) implements ArrivalProcess {
        public Poisson {
            requirePositive("rate", ratePerSecond);
        }

        @Override
        public double gapSeconds(SplittableRandom random, double atSeconds) {
            return exponential(random) / ratePerSecond;
        }
    }

    /// One every `1 / rate` seconds.
    record Constant(double ratePerSecond) implements ArrivalProcess {
        public Constant {
            requirePositive("rate", ratePerSecond);
        }

        @Override
        public double gapSeconds(SplittableRandom random, double atSeconds) {
            return 1 / ratePerSecond;
        }
    }

    /// Gamma gaps of the shape `1 / variation^2`: burstier than Poisson when more than 1, smoother when less.
    ///
    /// @param variation coefficient of variation of the gaps: standard deviation by mean
    record Gamma(double ratePerSecond, double variation) implements ArrivalProcess {
        public Gamma {
            requirePositive("rate", ratePerSecond);
            requirePositive("coefficient of variation", variation);
        }

        @Override
        public double gapSeconds(SplittableRandom random, double atSeconds) {
            double shape = 1 / (variation * variation);
            return gamma(random, shape) / shape / ratePerSecond;
        }
    }

    /// Poisson arrivals for `onSeconds`, none for `offSeconds`, and again.
    ///
    /// @param ratePerSecond in the mean over both; within a burst it is higher
    record OnOff(double ratePerSecond, double onSeconds, double offSeconds)
            implements ArrivalProcess {
        public OnOff {
            requirePositive("rate", ratePerSecond);
            requirePositive("seconds on", onSeconds);
            if (!(offSeconds >= 0)) {
                throw new IllegalArgumentException("seconds off can't be " + offSeconds);
            }
        }

        @Override
        public double gapSeconds(SplittableRandom random, double atSeconds) {
            double period = onSeconds + offSeconds;
            double inBursts = exponential(random) * onSeconds / (ratePerSecond * period);
            // Time counts only while a burst is on: the gap is longer by the pauses that it spans.
            double inPeriod = Math.min(atSeconds % period, onSeconds);
            double pauses = Math.floor((inPeriod + inBursts) / onSeconds);
            return inBursts + pauses * offSeconds;
        }
    }

    private static void requirePositive(String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " must be more than 0, is " + value);
        }
    }

    private static double exponential(SplittableRandom random) {
        return -Math.log(1 - random.nextDouble());
    }

    /// Mean `shape`, scale 1 (Marsaglia and Tsang, ACM TOMS 26, 2000).
    private static double gamma(SplittableRandom random, double shape) {
        if (shape < 1) {
            double u = 1 - random.nextDouble();
            return gamma(random, shape + 1) * Math.pow(u, 1 / shape);
        }
        double d = shape - 1.0 / 3;
        double c = 1 / Math.sqrt(9 * d);
        while (true) {
            double x = random.nextGaussian();
            double v = 1 + c * x;
            if (v <= 0) {
                continue;
            }
            v = v * v * v;
            if (Math.log(1 - random.nextDouble()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
                return d * v;
            }
        }
    }
}
