package dev.tandem.core;

/// How waiting sequences find their replicas.
///
/// @param roles whether a replica's role binds
/// @param localPrefillTokensMax prompts with at most so many uncached tokens are always computed where they decode
/// @param predictLocal whether longer ones are too when that is predicted to be faster
/// @param aheadTokensMax a replica takes no further prompt while it has at least so many prompt tokens to compute; 0 = as
///     many as its next step is predicted to take
/// @param stagingShare part of a replica's KV blocks that sequences on their way to it may hold: the credits of a
///     receiver, apart from what its running sequences need
/// @param growthShare part of the expected output for which a replica has to have free blocks before a sequence is
///     placed there; 0 = just the next token
/// @param fetchMillisMax how long a prompt may wait for a cached prefix that another replica sends because that is
///     predicted to be faster than computing it; 0 = prefixes are never fetched
/// @param looksMax sequences looked at behind one that can't be placed
public record PlacementOptions(
        Roles roles,
        int localPrefillTokensMax,
        boolean predictLocal,
        int aheadTokensMax,
        double stagingShare,
        double growthShare,
        int fetchMillisMax,
        int looksMax) {

    /// Whether a replica's role binds.
    public enum Roles {
        /// Prefill replicas compute prompts and hand over; decode replicas generate, and compute prompts where told.
        FIXED,
        /// As fixed while both kinds have room. What the decode replicas can't take is decoded by prefill replicas, on as
        /// few of them as possible; so the split follows the load.
        ELASTIC,
        /// Every replica computes prompts and generates from them; nothing moves.
        MIXED
    }

    public static PlacementOptions defaults() {
        return new PlacementOptions(Roles.FIXED, 16, true, 0, 0.5, 0.25, 2000, 8);
    }

    public PlacementOptions {
        requireAtLeast("localPrefillTokensMax", localPrefillTokensMax, 0);
        requireAtLeast("aheadTokensMax", aheadTokensMax, 0);
        requireAtLeast("fetchMillisMax", fetchMillisMax, 0);
        requireAtLeast("looksMax", looksMax, 0);
        if (!(stagingShare > 0 && stagingShare <= 1)) {
            throw new IllegalArgumentException(
                    "stagingShare must be above 0 and at most 1, is " + stagingShare);
        }
        if (!(growthShare >= 0 && growthShare <= 1)) {
            throw new IllegalArgumentException(
                    "growthShare must be from 0 to 1, is " + growthShare);
        }
    }

    /// The same with another limit of local prompts.
    public PlacementOptions withLocalPrefill(int tokensMax) {
        return new PlacementOptions(
                roles,
                tokensMax,
                predictLocal,
                aheadTokensMax,
                stagingShare,
                growthShare,
                fetchMillisMax,
                looksMax);
    }

    private static void requireAtLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "%s must be at least %d, is %d".formatted(name, least, value));
        }
    }
}
