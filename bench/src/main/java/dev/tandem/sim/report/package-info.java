/// What a run tells: figures, tables, JSON, plots, progress.
///
/// [dev.tandem.sim.report.Collector] listens to a run and keeps histograms and counts, nothing per token;
/// [dev.tandem.sim.report.SimulationReport] is the outcome for people and as JSON; [dev.tandem.sim.report.Chart] draws SVG;
/// [dev.tandem.sim.report.RunProgress] shows a long run's way.
///
/// ## Words
/// - TTFT: from the arrival to the first token at the client. TPOT: the mean gap between the later tokens of one request,
///   `(last - first) / (tokens - 1)`; a request of one token has none and meets every TPOT objective.
/// - Goodput (Zhong et al., DistServe, OSDI 2024): requests per second that meet both objectives. Refused, failed and
///   unfinished requests do not meet them; those that their client cancelled are left out, in the count and in the total.
/// - Share met: those that meet both, of all that were not cancelled.
/// - The rate of a run is its arrivals by the time from the first to the last.
@NullMarked
package dev.tandem.sim.report;

import org.jspecify.annotations.NullMarked;
