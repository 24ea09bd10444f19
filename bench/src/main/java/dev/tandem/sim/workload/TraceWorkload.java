package dev.tandem.sim.workload;

import dev.tandem.admission.Terms;
import dev.tandem.sim.Arrival;
import dev.tandem.sim.Workload;

import org.jspecify.annotations.Nullable;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/// The selected rows of a trace as arrivals. Reads row by row: memory does not grow with the trace. Not thread-safe.
public final class TraceWorkload implements Workload, AutoCloseable {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Trace trace;
    private final WorkloadOptions options;
    private final Selection selection;
    private final PromptMaker prompts;
    private final TenantMix.Chooser tenants;
    private final SplittableRandom random;
    private final TraceRow row = new TraceRow();
    private final double scale;
    private RowReader reader;
    private long inPass;
    private int pass;
    private long number;
    private double lastNanos;

    /// What one pass over the selected rows is.
    ///
    /// @param skipped rows before the first one
    /// @param firstNanos of the first row, by the trace's time
    /// @param spanNanos from the first row to the last
    public record Selection(
            long skipped,
            long rows,
            long firstNanos,
            long spanNanos,
            long inputTokens,
            long outputTokens) {
        /// From one row to the next in the mean.
        double gapNanos() {
            return rows < 2 ? 0 : (double) spanNanos / (rows - 1);
        }

        /// As recorded; 0 when there is only one row, or one moment.
        public double ratePerSecond() {
            return gapNanos() == 0 ? 0 : NANOS_PER_SECOND / gapNanos();
        }
    }

    /// @throws IllegalArgumentException nothing is selected, the blocks don't fit, or a rate is asked of rows that have none
    public TraceWorkload(Trace trace, WorkloadOptions options) {
        this(trace, options, select(trace, options));
    }

    /// For many runs of the same rows at different rates.
    ///
    /// @param selection of this trace by these options
    public TraceWorkload(Trace trace, WorkloadOptions options, Selection selection) {
        this.trace = trace;
        this.options = options;
        this.selection = selection;
        this.prompts = new PromptMaker(options.blockTokens(), trace.tokensPerId());
        this.tenants = options.tenants().chooser(options.seed());
        this.random = new SplittableRandom(options.seed());
        this.scale = scale(trace, options, selection);
        this.reader = openAtFirst();
    }

    private static double scale(Trace trace, WorkloadOptions options, Selection selection) {
        double recorded = selection.ratePerSecond();
        if (recorded == 0 && (options.ratePerSecond() > 0 || options.poisson())) {
            throw new IllegalArgumentException(
                    "%s: the %d selected rows have no rate that could be changed"
                            .formatted(trace.name(), selection.rows()));
        }
        return options.ratePerSecond() > 0 ? options.ratePerSecond() / recorded : options.scale();
    }

    /// Reads the trace up to the end of what is selected.
    ///
    /// @throws IllegalArgumentException nothing is
    public static Selection select(Trace trace, WorkloadOptions options) {
        var row = new TraceRow();
        double from = options.fromSeconds() * NANOS_PER_SECOND;
        double to =
                options.toSeconds() == 0
                        ? Double.POSITIVE_INFINITY
                        : options.toSeconds() * NANOS_PER_SECOND;
        long most = options.requests() == 0 ? Long.MAX_VALUE : options.requests();
        long skipped = 0;
        long rows = 0;
        long zero = 0;
        long first = 0;
        long last = 0;
        long input = 0;
        long output = 0;
        try (RowReader reader = trace.open()) {
            while (rows < most && reader.next(row)) {
                if (skipped + rows == 0) {
                    zero = row.nanos;
                }
                if (row.nanos - zero < from) {
                    skipped++;
                    continue;
                }
                if (row.nanos - zero >= to) {
                    break;
                }
                first = rows++ == 0 ? row.nanos : first;
                last = row.nanos;
                input += row.inputTokens;
                output += row.outputTokens;
            }
        }
        if (rows == 0) {
            throw new IllegalArgumentException(
                    "%s: no row from %s s to %s s"
                            .formatted(
                                    trace.name(),
                                    options.fromSeconds(),
                                    options.toSeconds() == 0 ? "the end" : options.toSeconds()));
        }
        return new Selection(skipped, rows, first, last - first, input, output);
    }

    private RowReader openAtFirst() {
        RowReader opened = trace.open();
        for (long i = 0; i < selection.skipped(); i++) {
            opened.next(row);
        }
        return opened;
    }

    public Selection selection() {
        return selection;
    }

    /// Mean rate of the arrivals; 0 where the rows have none.
    public double ratePerSecond() {
        return selection.ratePerSecond() * scale;
    }

    @Override
    public @Nullable Arrival next() {
        if (inPass == selection.rows()) {
            if (++pass >= options.repeat()) {
                reader.close();
                pass = options.repeat();
                return null;
            }
            reader.close();
            reader = openAtFirst();
            inPass = 0;
        }
        if (!reader.next(row)) {
            throw new IllegalStateException(trace.name() + " has become shorter while it was read");
        }
        inPass++;
        long nanos = arrivalNanos();
        Terms terms = tenants.termsOf(number);
        if (options.deadlineMillis() > 0) {
            long deadline = nanos + TimeUnit.MILLISECONDS.toNanos(options.deadlineMillis());
            terms =
                    new Terms(
                            terms.tenant(),
                            terms.workload(),
                            terms.lane(),
                            terms.model(),
                            terms.zone(),
                            terms.affinityKey(),
                            deadline);
        }
        return new Arrival(nanos, prompts.make(row, number++, pass), row.outputTokens, terms, 0);
    }

    private long arrivalNanos() {
        if (options.poisson()) {
            if (number > 0) {
                lastNanos += -Math.log(1 - random.nextDouble()) * selection.gapNanos() / scale;
            }
            return (long) lastNanos;
        }
        double sinceFirst = row.nanos - selection.firstNanos();
        double passNanos = selection.spanNanos() + selection.gapNanos();
        return (long) ((sinceFirst + pass * passNanos) / scale);
    }

    @Override
    public long size() {
        return selection.rows() * options.repeat();
    }

    @Override
    public void close() {
        reader.close();
    }
}
