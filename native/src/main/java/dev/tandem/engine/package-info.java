/// A worker: joins the coordinator, executes its numbered step plans on a backend, samples, and reports.
///
/// Three threads matter. The **engine thread** (the one that calls [dev.tandem.engine.WorkerProcess#run]) owns the
/// backend, the `StepExecutor` and all sequences. The **stream's thread** (gRPC's, one at a time) queues plans for it
/// and hands lease messages to the receiving end at once, so that blocks can come in during a long step. A **timer**
/// sends heartbeats. `TierRequests` has a thread of its own for copies of evicted blocks to and from memory and disk.
/// Results, ends of leases and heartbeats leave through `CoordinatorLink#send`, which any thread may
/// call.
///
/// One plan: `PlanValidator` checks it as a whole, so a wrong one is answered with an error and changes nothing; then
/// sequences end and start, tables grow, [dev.tandem.device.Backend#forward] computes the rows, `Sampler` draws a token
/// for each row that asks, and the KV sends go to the block sender. A sampled token is appended at once: the next plan
/// is usually here already and computes it.
///
/// What must hold:
///
/// - A token is a pure function of (weights, prefix, sampling, seed, position). `Philox` makes the random number from
///   seed and position; nothing is kept from one draw to the next.
/// - The coordinator decides everything; a worker gives out no block and ends no sequence by itself.
/// - A stream that breaks ends all sequences and leases. The worker joins again under a new incarnation with new KV
///   memory (`KvSide`), so that a late writer of before can't touch what is used now.
/// - Queues and waits are bounded: plans by `PLANS_QUEUED_MAX`, sequences and tokens by the limits told in the Hello.
///
/// `WorkerMain` adds the operating system: signals, the parent's death, exit codes. It is called by
/// `dev.tandem.prefill` and `dev.tandem.decode`. `WorkerWiring` alone knows the concrete device and transports.
@NullMarked
package dev.tandem.engine;

import org.jspecify.annotations.NullMarked;
