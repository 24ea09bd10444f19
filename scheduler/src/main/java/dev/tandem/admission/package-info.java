/// Who may come in, and who goes first. Pure policies: no clock, thread, random number or I/O inside, time comes in as
/// `nowNanos`, "randomness" is a hash of the sequence id, and no decision depends on the order of a hash map.
///
/// ## Coming in
/// A request comes with [dev.tandem.admission.Terms]: its wishes. [dev.tandem.admission.AdmissionOptions#request] cuts them to
/// what is allowed: the lane to the tenant's highest, the output to the cap of the
/// [dev.tandem.admission.WorkloadClass], which is found by name or by route. Then [dev.tandem.admission.AdmissionRules] asks
/// the configured rules; each is an [dev.tandem.admission.AdmissionPolicy] and answers with a
/// [dev.tandem.admission.Verdict]:
///
/// | rule | refuses when | source |
/// |---|---|---|
/// | `TENANT_BUDGET` | the tenant's token bucket holds less than `min(prompt + expected output, burst)` | token bucket |
/// | `QUEUE_LIMIT` | more than `queuedTokensMax` or `queuedSequencesMax` would wait, or more of one tenant than `tenantQueueFactor x free room` | Google SRE book, ch. 21; Choudhury and Hahne, ToN 1998 |
/// | `DEADLINE` | `now + TTFT + (expected output - 1) x TPOT > deadline`, all predicted | Google SRE book, ch. 22 |
/// | `PREDICTED_TTFT` | `TTFT > sheddingFactor x max(objective, TTFT on an idle system)`; never in the batch lane | Mooncake's early rejection (Qin et al., FAST 2025) |
///
/// The predicted wait counts what goes first by rank, and what will overtake: shorter prompts that arrive within the
/// stretch. A prediction may be wrong, and a queue of late requests serves nobody; so what `PREDICTED_TTFT` let in is given
/// up at the head of the queue once even the first free replica would be too late for the same limit
/// ([dev.tandem.admission.FairQueue#hopeless]; Nichols and Jacobson, *Controlling queue delay*, CACM 2012). Under a lasting
/// overload both fall on the longest prompts first, since the short ones' rank is smaller.
///
/// Before the last three refuse, work of lower lanes is shed, the lowest lane and its newest first (criticality, SRE book
/// ch. 21; DAGOR, Zhou et al., SoCC 2018); never of the request's own lane or a higher one, and never what has been placed
/// before. A refusal tells when to come back ([dev.tandem.admission.RetryAfter]): the time in which the backlog falls below
/// the limit when nobody adds to it, rounded up to seconds. Who comes back then, alone, is accepted. An overload's wait is
/// told up to `retryAfterMillisMax`, the rest is up to another refusal; a budget's is told in full.
///
/// ## Waiting
/// [dev.tandem.admission.FairQueue] orders what waits, in three levels. Each is the same algorithm,
/// [dev.tandem.admission.VirtualTokenCounters] (VTC, Sheng et al., OSDI 2024), but for the last:
///
/// 1. Lanes, weighted by their guaranteed share. Of equals, the higher lane goes first.
/// 2. Tenants within a lane, weighted by [dev.tandem.admission.TenantLimits#weight]. There is a counter per tenant *and* lane,
///    so batch work neither pays for nor blocks the same tenant's interactive work.
/// 3. Within a tenant, the core's static rank: arrival, stretched by size.
///
/// Before all of these go sequences that lost their place: they were somebody's turn already, and a client watches.
///
/// The unit of service is `w_p x prompt tokens computed + w_q x output tokens`, charged per row and step
/// ([dev.tandem.admission.FairQueue#charge]). Cached tokens are free. What was placed and is not computed yet counts as owed,
/// so that one pass over the queue does not give everything to one tenant. Who becomes backlogged is lifted to the smallest
/// counter of the others: absence saves up nothing, for tenants and for lanes. A party with nothing waiting takes no part, so
/// its share goes to the others.
///
/// ## Bounds
/// Let `U = max(w_p x L, w_q x M)`, with `L` the longest prompt and `M` the tokens that fit into the memory of all replicas.
/// Weights `w` are those of the tenants with work in a lane, `W` is their sum. They hold as long as the visitor says STOP and
/// not SKIP; each skip lets others go first, `overtakenMax` times at most.
///
/// - *Fairness*: while two tenants of a lane are backlogged, their service over their weights differs by at most
///   `2 U / w_min`. The same for lanes, over their shares.
/// - *No starvation*: an entry that has work `A` of its own tenant and lane before it is placed before the system has computed
///   `((W / w) x (A + U) + 2 U x W / w_min) / share + 2 U / share_min` units for everybody. Divided by the throughput that
///   is a time. Within the tenant, the rank's stretch bounds who may come between.
/// - *Ageing*: an entry that was looked at and did not fit is overtaken by at most `overtakenMax` others that were offered
///   after it; then nobody is placed before it. So what no replica can ever hold must be removed by the core.
///
/// ## Who calls whom
/// For a new request the core calls [dev.tandem.admission.TenantAccounts#open], `AdmissionOptions.request`,
/// `AdmissionRules.verdict` (which asks the core's [dev.tandem.admission.LoadView]); when accepted,
/// [dev.tandem.admission.TenantBudget#reserve], shedding ([dev.tandem.admission.FairQueue#shedCandidate] and `remove`, until
/// the verdict's amounts are reached), and `FairQueue.add`. On every pass it calls `visit`, on every step `charge` per row. When a
/// sequence ends: `FairQueue.settle`, `TenantBudget.settle`, `TenantAccounts.close`; a refused one is closed at once.
///
/// ## Invariants
/// An entry is in at most one queue, once. What is owed is 0 when nothing is placed. Accounts are bounded by `tenantsMax`,
/// and an account is forgotten once a new one would equal it. Once warm, nothing here is allocated but refusals.
@NullMarked
package dev.tandem.admission;

import org.jspecify.annotations.NullMarked;
