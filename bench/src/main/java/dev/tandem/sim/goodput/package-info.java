/// How much a cluster can be asked for before its objectives break, and what a policy is worth.
///
/// ## Goodput
/// The highest request rate at which at least 90 % of the requests meet both their TTFT and their TPOT objective (Zhong et
/// al., DistServe, OSDI 2024). [dev.tandem.sim.goodput.GoodputSearch] finds it by bisection over a geometric grid of rates:
/// neighbours differ by the tolerance (2 %). All cells (pairs of objectives) of a choice share their runs, since the
/// bisections of all cells ask for the same points of the grid first. The share met need not fall with the rate: after the
/// bisection some rates above the answer are tried too, and a better one is taken and told.
///
/// ## The comparison
/// A static choice is a chunk size and a split of the replicas into prefill and decode; the adaptive choice is the core with
/// its options. [dev.tandem.sim.goodput.GoodputStudy] runs all of them over the same trace and the same machines.
/// Every run is kept in a file ([dev.tandem.sim.goodput.TrialStore]) under a key of code, trace and choice, so that a
/// study goes on where it was stopped and a changed policy is measured anew.
///
/// ## Further runs
/// Overload at multiples of the peak, the longest gap between tokens while long prompts arrive, and the share of a client
/// that comes back among others ([dev.tandem.sim.goodput.Scenarios]).
@NullMarked
package dev.tandem.sim.goodput;

import org.jspecify.annotations.NullMarked;
