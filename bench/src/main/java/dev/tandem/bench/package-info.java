/// Benchmarks of the scheduler's hot paths (JMH): what each aims at stands on its class.
///
/// - [dev.tandem.bench.SchedulerStepBenchmark]: one call of the core with the result of a step, all policies on, over
///   256, 1,024 and 4,096 sequences that decode. The distribution counts, so it samples single calls; the bytes
///   allocated per step are counted by the JVM and printed with it.
/// - [dev.tandem.bench.BlockHashBenchmark]: the hash chain of an 8,192-token prompt.
/// - [dev.tandem.bench.PrefixLookupBenchmark]: the longest cached prefix of 511 blocks.
/// - [dev.tandem.bench.TierFigures], a program of its own: tiers of evicted KV blocks beside plain copies and files.
///
/// [dev.tandem.bench.SteadyDecode] is the world around the core: no device, no thread, answers at once from arrays that
/// exist already ([dev.tandem.bench.EchoWorker]), so what is measured is the core.
///
/// ## Running them
/// The build compiles them and generates JMH's classes. JMH itself is not in the distribution; Maven has it in its
/// repository after a build:
///
/// ```
/// M=~/.m2/repository
/// java -cp "bench/target/classes:dist/target/tandem/lib/*:$M/org/openjdk/jmh/jmh-core/1.37/*:$M/net/sf/jopt-simple/jopt-simple/5.0.4/*:$M/org/apache/commons/commons-math3/3.6.1/*" org.openjdk.jmh.Main SchedulerStep
/// ```
///
/// Without an argument all run; `-h` tells JMH's flags, `-p sequences=256` chooses a case, `-prof gc` adds the
/// allocation of everything, the benchmark's own events included. On a shared host look at the median: whoever else
/// computes there shows in the tail.
@NullMarked
package dev.tandem.bench;

import org.jspecify.annotations.NullMarked;
