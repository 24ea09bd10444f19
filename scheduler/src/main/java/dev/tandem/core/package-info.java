/// The deterministic scheduling core: it decides, and touches nothing.
///
/// [dev.tandem.core.SchedulerCore#on] takes one [dev.tandem.core.Event] and the time and returns
/// [dev.tandem.core.Commands]. There is no clock, thread, socket or random number inside; the live coordinator, the
/// simulator and a replay run these very classes. What it decides *by* lies in three packages of pure policies that know
/// nothing of it: [dev.tandem.admission] (who may be served, and in which order), [dev.tandem.routing] (which of several
/// replicas) and [dev.tandem.batching] (what one replica does in a step).
///
/// ## The life of a sequence
/// 1. `Submit` brings it to the [dev.tandem.core.Gate]: tenant, lane and workload class are looked up, admission judges by
///    the core's own predictions ([dev.tandem.core.CoreLoad]), and it joins the [dev.tandem.core.WaitingQueue] or is refused
///    at once. A sequence has *tokens known* and *tokens planned*; prefill, decode, chunking, prefix hits and recompute are
///    all one thing: tokens not computed yet.
/// 2. [dev.tandem.core.Placement] reserves its blocks, late and all or nothing: on one replica, or on a prefill and a
///    decode replica with a [dev.tandem.core.Handoff] between them. That is an [dev.tandem.core.Attempt]; each stay on a
///    replica is a [dev.tandem.core.Residence]. A prefill that is late gets a second attempt elsewhere
///    ([dev.tandem.core.Hedging]); the first token decides.
///    A prefix that only another replica has cached is fetched from it where that is predicted to be faster than computing
///    it ([dev.tandem.core.PrefixFetches]), or brought back from the worker's tier, where evicted blocks were copied aside
///    ([dev.tandem.core.TierDesk]). What comes over the wire goes on in [dev.tandem.core.Arrivals].
/// 3. [dev.tandem.core.StepPlanner] cuts its pending tokens into rows of numbered [dev.tandem.core.StepPlan]s, decodes
///    first, within the step's budget. Up to `runAheadPlans` are in flight per replica, so rows may name tokens
///    that the worker samples itself.
/// 4. Blocks of a handoff go out with the plan that completes them. The row that reaches the end of the known tokens
///    samples; that token goes to the client at once. When the receiver has verified every block, the sequence joins it.
/// 5. A stop token, the limit, a cancellation, a deadline or an error ends it ([dev.tandem.core.Lifecycle]): exactly one
///    answer.
///
/// ## Why placement is late
/// A prompt is given to a replica only when that replica's next step has room for it and the decode side has a slot,
/// blocks and staging credits. Until then it stays in the one queue, where order can still change: a short prompt is not
/// stuck behind a long one, a tenant's burst not in front of the others, and no prefill replica holds KV that nobody takes
/// (the tandem queue).
///
/// ## Who holds a block
/// A block belongs to a residence until no plan in flight can write to it, no send reads it, no lease lets another worker
/// write to it, and no quarantine is left ([dev.tandem.core.Residence]). Then it is free, keeping its prefix until it
/// is taken again ([dev.tandem.core.BlockPool]). Prompt blocks can be found as soon as the plan that computes them is sent;
/// generated ones when the sequence leaves: hashing them is not a step's work. [dev.tandem.core.SchedulerCore#audit] counts
/// all of this again.
///
/// ## When things break
/// Preemption, a failed transfer and a lost replica all end the same way: the sequence goes back to the queue's front
/// with the tokens known, unless a second attempt goes on alone. Since a token is a pure function of weights, prefix, seed
/// and position, the client sees nothing. Restarts beyond the retry budget wait a moment; none is dropped for it.
///
/// ## What a step costs
/// The path of a result, [dev.tandem.core.SchedulerCore#on] with `StepDone`, goes over arrays: the plan's rows, the outputs
/// and the counters of the replica's running sequences ([dev.tandem.core.RunningBatch]). It allocates nothing once these
/// have grown, and looks at no replica but those that the event concerns ([dev.tandem.core.Worklist]).
@NullMarked
package dev.tandem.core;

import org.jspecify.annotations.NullMarked;
