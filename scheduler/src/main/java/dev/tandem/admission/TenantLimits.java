package dev.tandem.admission;

/// What one tenant may use.
///
/// @param name the tenant's name as in [Terms#tenant]; of the limits for unknown tenants, any
/// @param weight share among the tenants of a lane: one with 2 gets twice the tokens of one with 1
/// @param tokensPerSecond prompt and output tokens, in the long run; 0 = no token budget
/// @param burstTokens how much the token budget saves up while the tenant is quiet
/// @param laneMax the highest lane that its requests may use
public record TenantLimits(
        String name, double weight, double tokensPerSecond, long burstTokens, Lane laneMax) {

    /// Weight 1, no budget, every lane.
    public static TenantLimits defaults() {
        return new TenantLimits("", 1, 0, 0, Lane.INTERACTIVE);
    }

    public TenantLimits {
        String owner = "tenant '" + name + "': ";
        Limits.requirePositive(owner + "weight", weight);
        Limits.requireNotNegative(owner + "tokensPerSecond", tokensPerSecond);
        if (tokensPerSecond > 0) {
            Limits.requireAtLeast(owner + "burstTokens", burstTokens, 1);
        }
    }

    public boolean hasTokenBudget() {
        return tokensPerSecond > 0;
    }
}
