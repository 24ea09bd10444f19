package dev.tandem.sim.campaign;

import dev.tandem.sim.Arrival;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Makes a failing scenario small: takes out requests, faults and clients' leaving as long as any promise is still broken.
/// Delta debugging (Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 2002) in its plain form:
/// chunks of half the list, then of a quarter, down to single ones.
final class Shrinker {
    private static final int TRIES_MAX = 400;

    private final Scenario original;
    private Scenario best;
    private Throwable problem;
    private int tries;

    private Shrinker(Scenario scenario, Throwable problem) {
        this.original = scenario;
        this.best = scenario;
        this.problem = problem;
    }

    static Failure shrink(Scenario scenario, Throwable problem) {
        Shrinker shrinker = new Shrinker(scenario, problem);
        int size;
        do {
            size = shrinker.size();
            shrinker.reduce(
                    shrinker.best.arrivals(),
                    arrivals -> shrinker.best.with(arrivals, shrinker.best.faults()));
            shrinker.reduce(
                    shrinker.best.faults().faults(),
                    faults ->
                            shrinker.best.with(
                                    shrinker.best.arrivals(), shrinker.best.faults().with(faults)));
            shrinker.keepClients();
        } while (shrinker.size() < size && shrinker.tries < TRIES_MAX);
        return new Failure(
                shrinker.original, problem, shrinker.best, shrinker.problem, shrinker.tries);
    }

    private int size() {
        int leaving = 0;
        for (Arrival arrival : best.arrivals()) {
            leaving += arrival.cancelAfterNanos() > 0 ? 1 : 0;
        }
        return best.arrivals().size() + best.faults().faults().size() + leaving;
    }

    private <T> void reduce(List<T> all, Function<List<T>, Scenario> without) {
        List<T> kept = all;
        for (int chunk = Math.max(1, kept.size() / 2); chunk >= 1; chunk /= 2) {
            for (int at = 0; at < kept.size(); ) {
                List<T> fewer = new ArrayList<>(kept.subList(0, at));
                fewer.addAll(kept.subList(Math.min(kept.size(), at + chunk), kept.size()));
                if (fails(without.apply(fewer))) {
                    kept = fewer;
                } else {
                    at += chunk;
                }
            }
        }
    }

    private void keepClients() {
        for (int i = 0; i < best.arrivals().size(); i++) {
            Arrival arrival = best.arrivals().get(i);
            if (arrival.cancelAfterNanos() > 0) {
                List<Arrival> arrivals = new ArrayList<>(best.arrivals());
                arrivals.set(
                        i,
                        new Arrival(
                                arrival.nanos(),
                                arrival.prompt(),
                                arrival.outputTokens(),
                                arrival.terms(),
                                0));
                fails(best.with(arrivals, best.faults()));
            }
        }
    }

    /// Tries a smaller one and keeps it if it fails.
    private boolean fails(Scenario scenario) {
        if (tries >= TRIES_MAX) {
            return false;
        }
        tries++;
        @Nullable Throwable found = FaultCampaign.problem(scenario);
        if (found == null) {
            return false;
        }
        best = scenario;
        problem = found;
        return true;
    }
}
