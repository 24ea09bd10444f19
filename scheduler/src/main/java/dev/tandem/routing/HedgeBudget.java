package dev.tandem.routing;

/// How many hedges a class of requests may send: each request puts `share` of a hedge into the bucket, at most
/// `burst` are kept, and a hedge takes a whole one. The bucket starts empty, so at any moment
/// `hedges <= share x requests`. (Dean & Barroso, "The Tail at Scale", CACM 2013: a few per cent more load cut the tail;
/// gRPC's retry throttling keeps the same kind of bucket.) Integers only: nothing is lost or won by rounding.
public final class HedgeBudget {
    private static final long ONE = 1_000_000;

    private final long depositMicros;
    private final long mostMicros;
    private final long[] balanceMicros;

    /// @param classes number of classes, numbered from 0
    /// @param share hedges per request, 0 to 1
    /// @param burst hedges saved up at most, 1 or more
    public HedgeBudget(int classes, double share, int burst) {
        Require.atLeast("hedge classes", classes, 1);
        Require.between("hedge.share", share, 0, 1);
        Require.atLeast("hedge.burst", burst, 1);
        this.depositMicros = (long) (share * ONE); // rounded down: never over the share
        this.mostMicros = burst * ONE;
        this.balanceMicros = new long[classes];
    }

    /// A request of the class has come.
    public void deposit(int requestClass) {
        balanceMicros[requestClass] =
                Math.min(mostMicros, balanceMicros[requestClass] + depositMicros);
    }

    /// @return whether a hedge may be sent; it is paid for then
    public boolean tryWithdraw(int requestClass) {
        if (balanceMicros[requestClass] < ONE) {
            return false;
        }
        balanceMicros[requestClass] -= ONE;
        return true;
    }
}
