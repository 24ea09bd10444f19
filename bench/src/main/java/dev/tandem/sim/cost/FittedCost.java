package dev.tandem.sim.cost;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.nio.file.Path;

/// A step's time from straight lines fitted to measurements, as DistServe's simulator does (Zhong et al., OSDI 2024):
/// ```
/// prefill = a + b x sum(L) + c x sum(L^2)                milliseconds; L: prompt lengths of the batch
/// decode  = a + b x sum(context) + c x rows              with one set of a, b, c below `largeRowsMin` rows, one from there on
/// ```
/// A chunk of `count` tokens after `before` counts `(before + count)^2 - before^2` for `L^2`, which adds up to `L^2` over the
/// prompt. DistServe never mixes the two in a step; for a step that does, the decode rows cost their decode time without its
/// constant, since the weights are read once.
public final class FittedCost implements StepCost {
    private static final double NANOS_PER_MILLI = 1e6;

    private final Line prefill;
    private final Line decodeSmall;
    private final Line decodeLarge;
    private final int largeRowsMin;

    /// Coefficients in milliseconds, as published.
    ///
    /// @param constant     of a step
    /// @param perToken     prefill: per prompt token; decode: per token of context
    /// @param perSquareOrRow prefill: per squared prompt token; decode: per row
    public record Line(double constant, double perToken, double perSquareOrRow) {
        /// @return this line with every coefficient times `factor`
        public Line times(double factor) {
            return new Line(constant * factor, perToken * factor, perSquareOrRow * factor);
        }
    }

    /// @param prefill      a step of prompts
    /// @param decodeSmall  a step of fewer than `largeRowsMin` decodes
    /// @param decodeLarge  a step of more
    /// @param largeRowsMin rows from which `decodeLarge` holds, 1 or more
    public FittedCost(Line prefill, Line decodeSmall, Line decodeLarge, int largeRowsMin) {
        if (largeRowsMin < 1) {
            throw new IllegalArgumentException(
                    "largeRowsMin must be at least 1, not " + largeRowsMin);
        }
        this.prefill = prefill;
        this.decodeSmall = decodeSmall;
        this.decodeLarge = decodeLarge;
        this.largeRowsMin = largeRowsMin;
    }

    /// @param file           DistServe's `profiler-a100-80g.*.json`
    /// @param model          key in the file, such as `facebook/opt-13b`
    /// @param tensorParallel TP degree, a key below it
    /// @throws IOException the file can't be read, or has no such entry; the message says which
    public static FittedCost read(Path file, String model, int tensorParallel) throws IOException {
        JsonNode entry =
                new ObjectMapper()
                        .readTree(file.toFile())
                        .path(model)
                        .path(Integer.toString(tensorParallel));
        if (entry.isMissingNode()) {
            throw new IOException(
                    file + ": no coefficients for " + model + " at TP " + tensorParallel);
        }
        return new FittedCost(
                line(file, entry, "prefill"),
                line(file, entry, "decoding_smallbs"),
                line(file, entry, "decoding_largebs"),
                entry.path("decoding_large_small_bs_threshold").asInt());
    }

    private static Line line(Path file, JsonNode entry, String name) throws IOException {
        JsonNode line = entry.path(name);
        if (line.size() != 3) {
            throw new IOException(file + ": '" + name + "' must be three numbers");
        }
        return new Line(line.get(0).asDouble(), line.get(1).asDouble(), line.get(2).asDouble());
    }

    /// @return the same lines for an engine that is `prefillFactor` and `decodeFactor` times as slow
    public FittedCost times(double prefillFactor, double decodeFactor) {
        return new FittedCost(
                prefill.times(prefillFactor),
                decodeSmall.times(decodeFactor),
                decodeLarge.times(decodeFactor),
                largeRowsMin);
    }

    @Override
    public long nanos(StepShape shape) {
        double millis = 0;
        if (shape.prefillRows() > 0) {
            long squares = 2 * shape.prefillPairs() - shape.prefillTokens();
            millis =
                    prefill.constant
                            + prefill.perToken * shape.prefillTokens()
                            + prefill.perSquareOrRow * squares;
        }
        int rows = shape.decodeRows();
        if (rows > 0) {
            Line decode = rows < largeRowsMin ? decodeSmall : decodeLarge;
            millis +=
                    (shape.prefillRows() > 0 ? 0 : decode.constant)
                            + decode.perToken * shape.decodeContext()
                            + decode.perSquareOrRow * rows;
        }
        return Math.round(millis * NANOS_PER_MILLI);
    }
}
