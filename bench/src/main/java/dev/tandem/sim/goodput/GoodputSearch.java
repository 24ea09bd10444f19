package dev.tandem.sim.goodput;

import java.util.Map;
import java.util.TreeMap;

/// Finds the highest rate of a grid at which a share of the requests meets its objectives. Each rate is tried once,
/// whichever cell asks for it. Not thread-safe.
public final class GoodputSearch {
    /// Rates above an answer that are tried too, in steps of the grid: with 2 % steps up to a third more.
    private static final int[] GUARDS = {2, 4, 8, 15};

    private static final int ROUNDS_MAX = 4;

    private final RateGrid grid;
    private final double shareWanted;
    private final Trial trial;
    private final Map<Integer, Trial.Outcome> tried = new TreeMap<>();

    /// A cell's answer.
    ///
    /// @param index in the grid; -1 = even the lowest rate is too much
    /// @param monotone false when a higher rate was met although a lower one was not
    public record Answer(int index, double ratePerSecond, boolean monotone) {}

    /// @param shareWanted 0..1
    public GoodputSearch(RateGrid grid, double shareWanted, Trial trial) {
        if (!(shareWanted > 0 && shareWanted <= 1)) {
            throw new IllegalArgumentException("a share of " + shareWanted);
        }
        this.grid = grid;
        this.shareWanted = shareWanted;
        this.trial = trial;
    }

    /// The runs so far, by their index in the grid.
    public Map<Integer, Trial.Outcome> tried() {
        return tried;
    }

    public Answer search(int cell) {
        int met = bisect(cell, -1, grid.size());
        boolean monotone = true;
        for (int round = 0; round < ROUNDS_MAX; round++) {
            int higher = higherMet(cell, met);
            if (higher < 0) {
                break;
            }
            monotone = false;
            met = bisect(cell, higher, lowestMissedAbove(cell, higher));
        }
        return new Answer(met, met < 0 ? 0 : grid.rate(met), monotone);
    }

    /// @param met known to be met, or -1
    /// @param missed known to be missed, or the grid's size
    private int bisect(int cell, int met, int missed) {
        int low = met;
        int high = missed;
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (isMet(cell, middle)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private boolean isMet(int cell, int index) {
        return outcome(index).share(cell) >= shareWanted;
    }

    /// The run at one rate of the grid; from memory if it was tried before.
    public Trial.Outcome outcome(int index) {
        Trial.Outcome known = tried.get(index);
        if (known == null) {
            known = trial.run(grid.rate(index));
            tried.put(index, known);
        }
        return known;
    }

    private int higherMet(int cell, int met) {
        for (int guard : GUARDS) {
            if (met + guard < grid.size()) {
                outcome(met + guard);
            }
        }
        int highest = -1;
        for (Map.Entry<Integer, Trial.Outcome> entry : tried.entrySet()) {
            if (entry.getKey() > met && entry.getValue().share(cell) >= shareWanted) {
                highest = entry.getKey();
            }
        }
        return highest;
    }

    private int lowestMissedAbove(int cell, int met) {
        for (Map.Entry<Integer, Trial.Outcome> entry : tried.entrySet()) {
            if (entry.getKey() > met && entry.getValue().share(cell) < shareWanted) {
                return entry.getKey();
            }
        }
        return grid.size();
    }
}
