/// The coordinator process around the core: everything that has a thread, a clock or a socket.
///
/// [dev.tandem.coordinator.CoordinatorAgent] is the one thread that owns the core. Others hand it messages through a
/// bounded queue: [dev.tandem.coordinator.CoordinatorGeneration] the front's submissions and cancellations,
/// [dev.tandem.coordinator.WorkerLink] what workers say on their `Join` streams. For each message the agent asks the
/// core, then carries the commands out in a fixed order: leases, plans ([dev.tandem.coordinator.PlanEncoder]), tokens to
/// the requests' sinks, endings, disconnects. Only the agent writes to workers, so no stream is used by two threads.
///
/// The agent parks when there is nothing to do and is woken by a message
/// ([dev.tandem.coordinator.SignalIdleStrategy]); a tick every 20 ms lets time pass for the core and publishes a
/// snapshot, from which [dev.tandem.coordinator.ServingMetrics] serves `/metrics` without touching the step path.
///
/// A worker is lost when its stream breaks, when it has been silent for too long, when it refuses a plan or answers one
/// that was not asked; [dev.tandem.coordinator.WorkerRoster] knows who is joined and who may join. An exception
/// out of the core is a broken invariant: the process halts, since nothing decided from then on can be trusted.
@NullMarked
package dev.tandem.coordinator;

import org.jspecify.annotations.NullMarked;
