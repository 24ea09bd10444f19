package dev.tandem.sim.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A line chart as SVG: axes with ticks and labels, lines, bounds, a legend. Not thread-safe.
public final class Chart {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 440;
    private static final int LEFT = 70;
    private static final int RIGHT = 190;
    private static final int TOP = 44;
    private static final int BOTTOM = 56;
    private static final int POINTS_MAX = 2_000;

    /// Told apart by people who see colours differently (Okabe and Ito).
    private static final String[] COLOURS = {
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"
    };

    private final String title;
    private final String xLabel;
    private final boolean xLogarithmic;
    private final String yLabel;
    private final boolean yLogarithmic;
    private final List<Line> lines = new ArrayList<>();
    private final List<Bound> bounds = new ArrayList<>();

    private record Line(String name, double[] x, double[] y) {}

    private record Bound(String name, double x) {}

    public Chart(
            String title,
            String xLabel,
            boolean xLogarithmic,
            String yLabel,
            boolean yLogarithmic) {
        this.title = title;
        this.xLabel = xLabel;
        this.xLogarithmic = xLogarithmic;
        this.yLabel = yLabel;
        this.yLogarithmic = yLogarithmic;
    }

    /// Adds a line; long ones are thinned out evenly.
    ///
    /// @param x in rising order; handed over, as `y`
    public Chart line(String name, double[] x, double[] y) {
        if (x.length != y.length) {
            throw new IllegalArgumentException(
                    "%d values of x and %d of y".formatted(x.length, y.length));
        }
        lines.add(new Line(name, x, y));
        return this;
    }

    /// Adds a vertical line, such as an objective.
    public Chart bound(String name, double x) {
        bounds.add(new Bound(name, x));
        return this;
    }

    public void write(Path file) throws IOException {
        Files.writeString(file, svg());
    }

    public String svg() {
        Axis x = axis(xLabel, xLogarithmic, true);
        Axis y = axis(yLabel, yLogarithmic, false);
        var svg = new StringBuilder();
        add(
                svg,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0"
                        + " %d %d\" font-family=\"sans-serif\" font-size=\"12\">",
                WIDTH,
                HEIGHT,
                WIDTH,
                HEIGHT);
        add(svg, "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>", WIDTH, HEIGHT);
        add(svg, "<text x=\"%d\" y=\"24\" font-size=\"15\">%s</text>", LEFT, escaped(title));
        axes(svg, x, y);
        for (int i = 0; i < lines.size(); i++) {
            draw(svg, lines.get(i), COLOURS[i % COLOURS.length], x, y);
        }
        for (Bound bound : bounds) {
            draw(svg, bound, x);
        }
        legend(svg);
        svg.append("</svg>\n");
        return svg.toString();
    }

    private Axis axis(String label, boolean logarithmic, boolean ofX) {
        double smallest = Double.MAX_VALUE;
        double largest = 0;
        for (Line line : lines) {
            for (double value : ofX ? line.x() : line.y()) {
                if (value > 0) {
                    smallest = Math.min(smallest, value);
                }
                largest = Math.max(largest, value);
            }
        }
        if (ofX) {
            for (Bound bound : bounds) {
                smallest = Math.min(smallest, bound.x());
                largest = Math.max(largest, bound.x());
            }
        }
        if (largest == 0) {
            largest = 1;
            smallest = 0.1;
        }
        return Axis.fitting(label, logarithmic, smallest, largest);
    }

    private static double pixelX(Axis axis, double value) {
        return LEFT + axis.position(value) * (WIDTH - LEFT - RIGHT);
    }

    private static double pixelY(Axis axis, double value) {
        return HEIGHT - BOTTOM - axis.position(value) * (HEIGHT - TOP - BOTTOM);
    }

    private static void axes(StringBuilder svg, Axis x, Axis y) {
        int bottom = HEIGHT - BOTTOM;
        int right = WIDTH - RIGHT;
        for (double tick : x.ticks()) {
            double at = pixelX(x, tick);
            add(
                    svg,
                    "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#dddddd\"/>",
                    at,
                    TOP,
                    at,
                    bottom);
            add(
                    svg,
                    "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                    at,
                    bottom + 16,
                    Axis.shown(tick));
        }
        for (double tick : y.ticks()) {
            double at = pixelY(y, tick);
            add(
                    svg,
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#dddddd\"/>",
                    LEFT,
                    at,
                    right,
                    at);
            add(
                    svg,
                    "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                    LEFT - 6,
                    at + 4,
                    Axis.shown(tick));
        }
        add(
                svg,
                "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"black\"/>",
                LEFT,
                TOP,
                bottom,
                right);
        add(
                svg,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                (LEFT + right) / 2,
                bottom + 38,
                escaped(x.label()));
        add(
                svg,
                "<text transform=\"translate(18 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>",
                (TOP + bottom) / 2,
                escaped(y.label()));
    }

    private static void draw(StringBuilder svg, Line line, String colour, Axis x, Axis y) {
        int points = line.x().length;
        int stride = Math.max(1, Math.ceilDiv(points, POINTS_MAX));
        svg.append("<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"").append(colour);
        svg.append("\" points=\"");
        for (int i = 0; i < points; i += stride) {
            point(svg, line, i, x, y);
        }
        if (points > 0 && (points - 1) % stride != 0) {
            point(svg, line, points - 1, x, y);
        }
        svg.append("\"/>\n");
    }

    private static void point(StringBuilder svg, Line line, int index, Axis x, Axis y) {
        svg.append(
                String.format(
                        Locale.ROOT,
                        "%.1f,%.1f ",
                        pixelX(x, line.x()[index]),
                        pixelY(y, line.y()[index])));
    }

    private static void draw(StringBuilder svg, Bound bound, Axis x) {
        double at = pixelX(x, bound.x());
        add(
                svg,
                "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#777777\""
                        + " stroke-dasharray=\"5 4\"/>",
                at,
                TOP,
                at,
                HEIGHT - BOTTOM);
    }

    private void legend(StringBuilder svg) {
        int at = TOP + 6;
        int from = WIDTH - RIGHT + 14;
        for (int i = 0; i < lines.size(); i++) {
            entry(svg, from, at, COLOURS[i % COLOURS.length], "", lines.get(i).name());
            at += 20;
        }
        for (Bound bound : bounds) {
            entry(svg, from, at, "#777777", " stroke-dasharray=\"5 4\"", bound.name());
            at += 20;
        }
    }

    private static void entry(
            StringBuilder svg, int x, int y, String colour, String dashes, String name) {
        add(
                svg,
                "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\""
                        + " stroke-width=\"1.8\"%s/>",
                x,
                y,
                x + 22,
                y,
                colour,
                dashes);
        add(
                svg,
                "<text class=\"legend\" x=\"%d\" y=\"%d\">%s</text>",
                x + 28,
                y + 4,
                escaped(name));
    }

    private static void add(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
