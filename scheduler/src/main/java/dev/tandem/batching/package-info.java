/// What one replica does in a step: how many sequences run on it, how long its steps may get, and which prompt goes
/// first. Pure: no clock, thread, random source or I/O; nothing here allocates once warm.
///
/// ## The problem
/// A step computes one token of every running sequence and, in the same pass over the weights, a chunk of some prompts.
/// A long chunk uses the device well and makes all running sequences wait; a short one keeps them smooth and wastes the
/// device (Agrawal et al., *Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve*, OSDI 2024: a whole
/// prompt in one step inflates it up to 28 times). More running sequences mean more tokens a second and longer steps. Both
/// trade-offs have one answer: **the longest step that still keeps the objectives**: the TPOT, and a tenth of the TTFT,
/// since a new prompt waits for the steps in flight before its own. So a step's time has to be known before it is planned.
///
/// ## The parts
/// - [dev.tandem.batching.StepEstimator] predicts a step's time from its composition: a roofline of the device's facts
///   (Williams, Waterman, Patterson, CACM 2009), corrected by what was measured for steps of the same make.
/// - [dev.tandem.batching.StepBudget] says how many prompt tokens still fit into a step.
///   [dev.tandem.batching.FixedBudget]: a token count, as vLLM's `max_num_batched_tokens`.
///   [dev.tandem.batching.LatencyBudget]: as many as keep the predicted step within the TPOT objective, in whole tiles
///   (Sarathi: a chunk of 257 instead of 256 costs 32 %), and never fewer than one tile, so prompts always move on.
/// - [dev.tandem.batching.ConcurrencyCap] says how many sequences may run. [dev.tandem.batching.FixedCap] is the static
///   maximum; [dev.tandem.batching.AdaptiveCap] holds the TPOT objective by measured step times: in proportion downwards,
///   by small steps upwards (Chiu and Jain 1989: additive increase, multiplicative decrease), with a dead band between
///   the two, so that it comes to rest.
/// - [dev.tandem.batching.PrefillOrder] ranks prompts by a time that is fixed when the prompt arrives.
///   [dev.tandem.batching.FirstComeOrder]: the arrival. [dev.tandem.batching.SizeAwareOrder]: the arrival plus a multiple
///   of the predicted time of its prefill, which is shortest-job-first with ageing: a prompt of predicted `s` seconds is
///   overtaken only by what arrives within `stretch x s` after it. That window bounds its wait: no prompt starves.
/// - [dev.tandem.batching.Surprise] learns how much later than predicted first tokens come, so that admission promises what
///   is kept nine times of ten.
///
/// The core owns one estimator, budget and cap per replica and asks them while it plans a step; nobody else does.
@NullMarked
package dev.tandem.batching;

import org.jspecify.annotations.NullMarked;
