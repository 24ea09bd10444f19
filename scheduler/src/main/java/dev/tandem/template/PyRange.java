package dev.tandem.template;

/// Python's `range`. Its length is bounded as in Jinja's sandbox.
record PyRange(long start, long stop, long step) {
    /// `jinja2.sandbox.MAX_RANGE`.
    static final int LENGTH_MAX = 100_000;

    static PyRange of(long start, long stop, long step) {
        if (step == 0) {
            throw PyError.runtime("range() arg 3 must not be zero");
        }
        PyRange range = new PyRange(start, stop, step);
        if (range.length() > LENGTH_MAX) {
            throw PyError.runtime(
                    "Range too big. The sandbox blocks ranges larger than MAX_RANGE ("
                            + LENGTH_MAX
                            + ").");
        }
        return range;
    }

    long length() {
        double distance = step > 0 ? (double) stop - start : (double) start - stop;
        if (distance <= 0) {
            return 0;
        }
        double length = Math.ceil(distance / Math.abs((double) step));
        return length > LENGTH_MAX ? LENGTH_MAX + 1L : (long) length;
    }

    long get(long index) {
        return start + index * step;
    }
}
