package dev.tandem.sim.campaign;

import java.util.List;

/// The bugs that the fault campaign has to find: each breaks a promise, not only a preference.
public final class Mutants {
    private static final String CORE = "dev/tandem/core/";

    private Mutants() {}

    public static List<Mutant> all() {
        return List.of(
                new Mutant(
                        CORE + "BlockPool.java",
                        "references[block] = 1;",
                        "references[block] = 2;",
                        "a block taken counts twice"));
    }
}
