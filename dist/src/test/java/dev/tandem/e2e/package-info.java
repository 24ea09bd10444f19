/// The whole system under test: coordinator and workers with the default model's real weights, real sockets and real
/// shared memory.
///
/// Where only the messages matter the processes run in this JVM ([TestCluster][dev.tandem.e2e.TestCluster]), which is
/// quick to start in many variants. Where their life, their command line or a foreign client matters,
/// [ServeProcess][dev.tandem.e2e.ServeProcess] starts `tandem serve` as the launcher does and prints what it said
/// when a test fails. A start takes seconds on all cores, so a class shares one server between its tests.
///
/// - [EvalTest][dev.tandem.e2e.EvalTest]: every golden answer of the model, disaggregated, token by token.
/// - [InvarianceTest][dev.tandem.e2e.InvarianceTest]: the same tokens however a request is scheduled.
/// - [LifeTest][dev.tandem.e2e.LifeTest]: clients that leave, workers and servers that are killed or stopped.
/// - [BadInputTest][dev.tandem.e2e.BadInputTest]: what is refused, and that it harms nobody else.
/// - [OpenAiJavaClientTest][dev.tandem.e2e.OpenAiJavaClientTest] and
///   [OpenAiNpmClientTest][dev.tandem.e2e.OpenAiNpmClientTest]: OpenAI's own clients, unchanged.
/// - [LoadCommandTest][dev.tandem.e2e.LoadCommandTest] and
///   [TemplateCommandTest][dev.tandem.e2e.TemplateCommandTest]: the tools as processes.
///
/// Invariants: every wait is bounded and for a state, never for a time; idle means that no worker holds a KV block.
@NullMarked
package dev.tandem.e2e;

import org.jspecify.annotations.NullMarked;
