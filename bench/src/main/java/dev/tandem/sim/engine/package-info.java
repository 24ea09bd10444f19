/// The simulator's engine: the production core under virtual time. Only clock, links and step cost are replaced.
///
/// [dev.tandem.sim.engine.Simulation] owns a run. Its agenda holds what is going to happen, by virtual time; each event is
/// handed to one of
///
/// - the *requests*: arrivals from a [dev.tandem.sim.Workload], clients that go away, and what each has got so far;
/// - the *fleet*: machines and the workers that live on them one after the other. A worker executes the core's plans
///   strictly in order, one at a time; a plan that comes early waits (run-ahead). A step takes what its
///   [dev.tandem.sim.cost.StepCost] says;
/// - the *transfers*: KV blocks under leases, through network cards that send and receive one thing after the other;
/// - the *fault injector*, which lets happen what a [dev.tandem.sim.fault.FaultPlan] says.
///
/// Whatever reaches the coordinator becomes a [dev.tandem.core.Event], the core answers at once, and its commands become new
/// entries of the agenda. A tick comes every 20 ms, as in the live agent.
///
/// ## Quick and checked workers
/// Quick workers know a plan's time and make its tokens up; a run of millions of steps keeps to arrays. Checked workers hold one
/// number for every token's KV, the hash of the prefix up to it, and read all of a sequence's numbers in each row, as attention
/// does. So a block that is wrong, stale, given out too early or overwritten is noticed. They refuse what a real worker refuses,
/// and any write into a block that is leased to somebody or being sent.
///
/// ## What a message can suffer
/// The streams to the coordinator keep their order and lose nothing: loss, reordering and corruption end in a broken stream,
/// which is a lost worker. Late words of workers given up, repeated words and foreign ones are fed to the core all the same: it
/// has to bear them. Blocks can be late, lost, doubled and garbled; they can land after the end of their lease, until the
/// writer is told or its deadline has passed. Not modelled: a worker that the core has given up and that *begins* a
/// transfer after that, or that is stopped within the copy of one block for longer than a lease. The live system bounds both by
/// a lease that is much longer than the silence after which a worker is given up.
///
/// ## What holds
/// - The same arguments give the same run: one thread, one seeded generator, events of the same time in the order of their making.
/// - A clock that steps forward lets what was due happen late, in its order; time never goes back.
/// - A broken promise is a [dev.tandem.sim.engine.BrokenPromiseException], at once: what happened before it is its cause.
@NullMarked
package dev.tandem.sim.engine;

import org.jspecify.annotations.NullMarked;
