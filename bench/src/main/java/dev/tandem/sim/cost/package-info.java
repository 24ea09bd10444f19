/// How long a step of a worker takes: models of a GPU's time, and how well they predict measured servers.
///
/// ## The problem
/// The simulator runs the production core under virtual time with workers that compute nothing. What it says about a policy is worth as
/// much as its clock: a chunk that is too cheap makes every budget look good. So a step's time comes from physics or from
/// measurements, and the error of the prediction is published with the figures that rest on it.
///
/// ## Who calls whom
/// The engine of a simulated worker adds the rows of a step to its [dev.tandem.sim.cost.StepShape] and asks a
/// [dev.tandem.sim.cost.StepCost] for the nanoseconds, once per step. There are three:
///
/// | class | from | use |
/// |---|---|---|
/// | [dev.tandem.sim.cost.RooflineCost] | a [dev.tandem.sim.cost.Device] and a [dev.tandem.sim.cost.ShardedModel]: max(products / FLOP rate, bytes / bandwidth) for each part of a step, plus fixed times | any device and model; `floor` is the physical limit |
/// | [dev.tandem.sim.cost.ProfiledCost] | kernel times measured on H100, H200 and A100 (NVIDIA aiconfigurator), summed over the layers as in Vidur | figures that are reported |
/// | [dev.tandem.sim.cost.FittedCost] | straight lines fitted by DistServe's authors (OPT-13B, OPT-66B on A100) | comparison with DistServe's simulator |
///
/// [dev.tandem.sim.cost.ModelShape] has the sizes of four public models; `ShardedModel` adds TP degree and number formats, and knows the
/// KV bytes of a token.
///
/// ## Interpolation
/// `LogGrid` interpolates measured times bilinearly in log space: a power law between two points, exact at both. `ProfiledCost` does this
/// once and keeps dense tables: one entry for each token count up to 8,192 (linear layers), eight cells an octave (attention, `DenseGrid`,
/// indexed by the bits of the numbers). A call is then a few array reads.
///
/// Prefill attention was measured for whole prompts only. A chunk takes the measured time per pair of a prompt as long as the chunk's
/// context, times its own pairs, and no less than reading its context takes.
///
/// ## Validation
/// [dev.tandem.sim.cost.ValidationMain] prints three tables: the interpolation's leave-one-out error, DistServe's worked example
/// (`PhaseQueue`), and predicted against measured TTFT and TPOT of real servers (`ClosedLoop` for a run, `EngineFit` for what differs
/// between engines, fitted on one half of the rows and tested on the other).
///
/// ## Invariants
/// Equal shapes cost equal time; an empty step costs nothing; a call allocates nothing. Without a calibration no cost
/// is below the device's data sheet; a fitted calibration may go below it, since it makes up for slower kernels in the tables.
@NullMarked
package dev.tandem.sim.cost;

import org.jspecify.annotations.NullMarked;
