/// A load generator for any OpenAI-compatible endpoint, and an honest stop watch.
///
/// [dev.tandem.load.LoadGenerator] is called by the command line with [dev.tandem.load.LoadOptions] and gives a
/// [dev.tandem.load.LoadReport]. Requests arrive in one of three ways: a closed loop keeps so many in flight, an open
/// loop starts them at seeded Poisson times whatever the server does, a replay at the times of a recorded trace
/// (`TraceFile`). `RequestBodies` makes the prompts: synthetic words, a file of the user's, or a trace's lengths.
///
/// One driver thread decides when a request starts; `OpenAiClient` sends it over HTTP/1.1, one connection a request
/// in flight, and its event loop takes the time of every chunk (`StreamedResponse` over `SseParser`). `LoadStatistics` adds up.
///
/// How it is measured: in the open loop and in replays a latency counts from the moment at which the request was due,
/// not from when it could be sent, so that a server that stalls can't hide its stall (no coordinated omission). TTFT is
/// the time to the first chunk with text; ITL the time between such chunks; TPOT (last - first) / (tokens - 1); tokens
/// are the server's own `usage`, since a chunk may carry several; where it reports none, chunks are counted and the report
/// says for how many requests.
///
/// Invariants: the same seed gives the same requests at the same times; every started request ends up once in the
/// report, completed or under one kind of error; nothing is started past the limits, and what is in flight is awaited,
/// at most `requestMillisMax`.
@NullMarked
package dev.tandem.load;

import org.jspecify.annotations.NullMarked;
