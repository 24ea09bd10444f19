package dev.tandem.sim.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// One axis of a chart: from values to pixels, with ticks at round numbers. Immutable.
///
/// @param logarithmic a tick per power of ten, and at 2 and 5 where there are few
/// @param least value at the start; above 0 on a logarithmic axis
/// @param most value at the end, more than `least`
record Axis(String label, boolean logarithmic, double least, double most) {
    private static final int TICKS_WANTED = 6;

    Axis {
        if (!(most > least) || (logarithmic && !(least > 0))) {
            throw new IllegalArgumentException(
                    "no axis \"%s\" from %s to %s".formatted(label, least, most));
        }
    }

    /// An axis that holds all values, from 0 when linear, from a power of ten when logarithmic.
    static Axis fitting(String label, boolean logarithmic, double smallest, double largest) {
        if (!logarithmic) {
            double most = largest > 0 ? largest : 1;
            double step = step(most / TICKS_WANTED);
            return new Axis(label, false, 0, Math.ceil(most / step - 1e-9) * step);
        }
        double small = smallest > 0 ? smallest : 1e-3;
        double least = Math.pow(10, Math.floor(Math.log10(small)));
        double most = Math.pow(10, Math.ceil(Math.log10(Math.max(largest, least * 10)) - 1e-9));
        return new Axis(label, true, least, most);
    }

    /// 0 at the start, 1 at the end; values outside are moved to the nearest end.
    double position(double value) {
        double at =
                logarithmic
                        ? Math.log(Math.max(value, least) / least) / Math.log(most / least)
                        : (value - least) / (most - least);
        return Math.clamp(at, 0, 1);
    }

    /// 1, 2 or 5 times a power of ten, not less than `least`.
    private static double step(double least) {
        double power = Math.pow(10, Math.floor(Math.log10(least)));
        for (double factor : new double[] {1, 2, 5}) {
            if (factor * power >= least * (1 - 1e-9)) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        if (!logarithmic) {
            double step = step((most - least) / TICKS_WANTED);
            for (int i = 0; least + i * step <= most + step * 1e-6; i++) {
                ticks.add(least + i * step);
            }
            return ticks;
        }
        int decades = (int) Math.round(Math.log10(most / least));
        double[] factors = decades <= 2 ? new double[] {1, 2, 5} : new double[] {1};
        for (int decade = 0; decade <= decades; decade++) {
            for (double factor : factors) {
                double tick = least * Math.pow(10, decade) * factor;
                if (tick <= most * (1 + 1e-9)) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }

    /// Short: `0.5`, `20`, `2k`, `3M`.
    static String shown(double value) {
        if (value >= 1e6) {
            return trimmed(value / 1e6) + "M";
        }
        if (value >= 1e4) {
            return trimmed(value / 1e3) + "k";
        }
        return trimmed(value);
    }

    private static String trimmed(double value) {
        String text = String.format(Locale.ROOT, "%.4f", value);
        return text.replaceAll("0+$", "").replaceAll("\\.$", "");
    }
}
