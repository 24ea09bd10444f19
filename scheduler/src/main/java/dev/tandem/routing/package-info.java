/// Chooses among replicas that could all do the work. Pure: no clock, thread, random source or I/O, and nothing allocated
/// per choice once warm.
///
/// ## The problem
/// A pool of replicas differs in device, queue, cached prefixes, distance and luck. A choice that looks only at the queue
/// recomputes what another replica has cached; one that looks only at the cache piles work up; one that trusts a
/// prediction follows it into a replica that is broken. So there is one interface, several policies, and around
/// them what every policy needs.
///
/// ## The policies ([dev.tandem.routing.RoutingPolicy], chosen by name in [dev.tandem.routing.RoutingOptions])
/// | name | looks at | good for | source |
/// |---|---|---|---|
/// | `least-loaded` | share of slots taken | decode; needs no prediction | nginx, HAProxy least connections |
/// | `weighted-round-robin` | live weights: device, residency, p95, queue, warmth, errors | even streams | nginx smooth WRR |
/// | `power-of-two` | composite load of two drawn replicas | many choosers, stale state | Mitzenmacher 2001, Finagle peak EWMA |
/// | `ring-hash` | affinity key, bounded load | sessions, prefixes; least moves | Karger 1997, Mirrokni 2018 |
/// | `maglev` | affinity key, bounded load | the same with even parts | Eisenbud 2016, Mirrokni 2018 |
/// | `cost` | seconds of queue + uncached prefill + transfer | prefill | Mooncake, Dynamo, llm-d |
///
/// ## Around them
/// - [dev.tandem.routing.Router] is what the core calls: it refreshes the judgement once per `refreshMillis`, sends a
///   probe where one is due, drops ejected replicas, picks the zone level, and lets the policy choose.
/// - [dev.tandem.routing.HealthBook] keeps a [dev.tandem.routing.Health] per worker *name*, across incarnations.
/// - [dev.tandem.routing.SlowStart] raises a fresh replica's weight by what is observed.
/// - [dev.tandem.routing.OutlierEjection] takes out what fails or lags and lets it back by single probes.
/// - [dev.tandem.routing.ZonePolicy] keeps requests near, fails over by rules, and tells admission what share of a failing
///   zone's load the rest can carry.
/// - [dev.tandem.routing.HedgePolicy] and [dev.tandem.routing.RetryBudget] say when a second attempt is worth it and
///   affordable; the core asks them itself.
///
/// ## Who calls whom
/// On join `Router.joined`, then `replicasChanged`; on loss `lost`, then `replicasChanged`. Per request `arrived`, then for each
/// placement `choose`, and exactly one of `succeeded`, `failed`, `abandoned`. Policies read
/// [dev.tandem.routing.ReplicaView] and [dev.tandem.routing.RouteRequest] live and write nothing there.
///
/// ## What always holds
/// - The same calls give the same choices: "random" draws are hashes of (seed, sequence, attempt), maps are never
///   iterated, decay is by exact halving, and no exponential or logarithm is taken, whose last bit may differ by machine.
/// - Of P replicas of a pool at most `min(floor(ejectedShareMax x P), P - 1)` are out; one probe at a time.
/// - A replica chosen by a hashing policy stays within `ceil(loadFactor x average)` sequences, counting the new one, for
///   its size.
/// - Hedges never exceed `share x requests` of their class; retries never exceed share and reserve of their window.
/// - Everything remembered is bounded: names, keys, buckets, zones.
@NullMarked
package dev.tandem.routing;

import org.jspecify.annotations.NullMarked;
