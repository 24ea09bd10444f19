/// What a simulation serves: recorded traces and generated requests, as [dev.tandem.sim.Workload]s.
///
/// ## From a file to arrivals
/// [dev.tandem.sim.workload.TraceFile#scan] tells the format from the content, reads the file once to the end and so finds every
/// bad line before a simulation starts. [dev.tandem.sim.workload.Trace] is what it then offers: rows, read again by each
/// run, from the file (bounded memory) or from arrays ([dev.tandem.sim.workload.LoadedTrace], for searches that run the
/// same trace many times). [dev.tandem.sim.workload.TraceWorkload] selects rows (window, first N, repetitions), moves
/// them in time (scale, rate, Poisson) and makes [dev.tandem.sim.Arrival]s. [dev.tandem.sim.workload.SyntheticTrace]
/// draws rows from distributions instead of reading them.
///
/// ## What a prompt is made of
/// Only ShareGPT's files hold tokens. Where a trace knows no more than lengths, all prompts share one token array, and
/// what makes them equal or different is their hash chain ([dev.tandem.sim.workload.PromptMaker]):
///
/// | source | prefix hashes |
/// |---|---|
/// | Azure LLM inference trace 2023 (Patel et al., Splitwise, ISCA 2024) | all of its own: nothing is ever found in a cache |
/// | Mooncake (Qin et al., FAST 2025) | from `hash_ids`: one id names the prompt up to and with a block of 512 tokens |
/// | ShareGPT with token ids | computed by the core from the tokens |
/// | synthetic | a group's shared prefix, then its own |
///
/// ## Arrival processes and lengths
/// Poisson, gamma gaps with a coefficient of variation (burstier than Poisson above 1; as in BurstGPT, Wang et al. 2024),
/// constant gaps, and on-off (Poisson in bursts). Lengths are fixed, uniform, lognormal or drawn from a file of pairs.
/// All of it is a function of the seed; tenants are a function of seed and row, so that they stay when rates change.
@NullMarked
package dev.tandem.sim.workload;

import org.jspecify.annotations.NullMarked;
