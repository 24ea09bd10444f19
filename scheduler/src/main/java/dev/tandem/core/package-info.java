/// The deterministic scheduling core: it decides, and touches nothing.
///
/// [dev.tandem.core.SchedulerCore#on] takes one [dev.tandem.core.Event] and the time and returns
/// [dev.tandem.core.Commands]. There is no clock, thread, socket or random number inside; the live coordinator, a
/// simulator and a replay run these very classes.
///
/// ## The life of a sequence
/// 1. `Submit` queues it. A sequence has *tokens known* and *tokens planned*; prefill, decode, chunking, prefix hits and
///    recompute are all one thing: tokens not computed yet.
/// 2. [dev.tandem.core.Placement] reserves its blocks, all or nothing: on one replica, or on a prefill and a decode
///    replica with a [dev.tandem.core.Handoff] between them. Each stay on a replica is a [dev.tandem.core.Residence].
/// 3. [dev.tandem.core.StepPlanner] cuts its pending tokens into rows of numbered [dev.tandem.core.StepPlan]s, decodes
///    first, within the step's token budget. Up to `runAheadPlans` are in flight per replica, so rows may name tokens
///    that the worker samples itself.
/// 4. Blocks of a handoff go out with the plan that completes them. The row that reaches the end of the known tokens
///    samples; that token goes to the client at once. When the receiver has verified every block, the sequence joins it.
/// 5. A stop token, the limit, a cancellation or an error ends it: exactly one answer.
///
/// ## Who holds a block
/// A block belongs to a residence until no plan in flight can write to it, no send reads it, no lease lets another worker
/// write to it, and no quarantine is left ([dev.tandem.core.Residence]). Then it is free, keeping its prefix until it
/// is taken again ([dev.tandem.core.BlockPool]).
///
/// ## When things break
/// Preemption, a failed transfer and a lost replica all end the same way: the sequence goes back to the queue's front
/// with the tokens known. Since a token is a pure function of weights, prefix, seed and position, the client sees nothing.
@NullMarked
package dev.tandem.core;

import org.jspecify.annotations.NullMarked;
