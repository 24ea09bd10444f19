/// The command line: `tandem serve`, the three processes as commands of their own, and the tools.
///
/// [Main][dev.tandem.cli.Main] parses, resolves the settings and calls one command. A setting is declared
/// once, in [Settings][dev.tandem.cli.Settings]; its flag, environment variable, key of the configuration file, help
/// and line in `docs/configuration.md` follow from that. [SettingValues][dev.tandem.cli.SettingValues] holds what came
/// out: flag over environment over file over default. [ProcessOptions][dev.tandem.cli.ProcessOptions] turns it into the
/// records that the processes of other packages are started with. Whatever is wrong becomes one line and code 2.
///
/// `serve` is [ServeCommand][dev.tandem.cli.ServeCommand] over a [Supervisor][dev.tandem.cli.Supervisor]: it chooses the
/// ports, starts coordinator and workers all at once as child JVMs of the same class path, forwards their
/// output and repeats the coordinator's ready line. Invariants:
///
/// - One thread owns the supervisor's state; everything reaches it as an event of one bounded queue.
/// - A child lives as long as it is wanted: one that dies is started again after a bounded back-off.
/// - A child never outlives `serve`: it holds the reading end of a pipe whose writing end only `serve` has,
///   and exits at its end ([ProcessLife][dev.tandem.process.ProcessLife]).
/// - The coordinator is stopped first and finishes its requests while the workers still live.
/// - `serve` loads nothing heavy (no gRPC, HTTP or model classes): it has to be out of the way at once.
///
/// JVM flags stand in the resources `jvm/*.jvm`, which the launcher script reads as well.
@NullMarked
package dev.tandem.cli;

import org.jspecify.annotations.NullMarked;
