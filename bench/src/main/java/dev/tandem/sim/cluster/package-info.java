/// The cluster that a simulation runs on, read from a YAML file.
///
/// [dev.tandem.sim.cluster.ClusterFile] reads it and names the line of everything that is wrong;
/// [dev.tandem.sim.cluster.Cluster] is the result: replicas, links, and the core's options. The `scheduler` section has the
/// keys of the server's configuration, found by [dev.tandem.sim.cluster.OptionKeys] from the options themselves, so that a
/// new option needs no line here.
///
/// ```yaml
/// model: Llama-3.1-8B          # for all replicas that name none
/// block-tokens: 16
/// replicas:
///   - count: 4
///     role: prefill            # or decode; a cluster of decode replicas only serves mixed
///     device: h100             # h100, h200, a100, or coefficients (below)
///     tp: 1                    # devices that share every layer
///     zone: a
///   - count: 4
///     role: decode
///     device: h100
///     kv-memory: 40GiB         # else what fits beside the weights; or blocks: N
///     tier-blocks: 100000      # evicted blocks that are kept beside the pool; else none
/// links:
///   gigabits-per-second: 400
///   latency-micros: 5
///   across:                    # between zones; else the same
///     gigabits-per-second: 100
///     latency-micros: 50
/// control-latency-micros: 100  # coordinator to worker, one way
/// scheduler:
///   step-tokens-max: 512
/// ```
/// A replica's steps are timed by the roofline of its device, or by measured kernels (`profiles: DIR`, a folder as
/// aiconfigurator's), or by DistServe's fitted lines (`coefficients: FILE` with `coefficients-model: facebook/opt-13b`).
@NullMarked
package dev.tandem.sim.cluster;

import org.jspecify.annotations.NullMarked;
