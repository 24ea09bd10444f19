/// The OpenAI-compatible HTTP front: text and JSON outside, token ids inside.
///
/// A request's way through the package:
///
/// 1. [HttpFront] owns the server, its routes and its life (start, drain, close). It reads the body, within limits of
///    size and time, and hands it to one virtual thread per request.
/// 2. [RequestParser] checks every field, renders the chat ([PromptRenderer]) or takes the prompt, tokenizes, checks the
///    context and gives a [CompletionRequest]: one ready [GenerationService.GenerationRequest] per choice.
///    [TermsParser] reads who asks and how soon it has to be done.
/// 3. [GenerationCall] submits the choices. The service's thread only enqueues ([CallEvents]); the virtual thread takes
///    what has come, however many tokens it is, and gives it to the choice's [ChoiceStream].
/// 4. [ChoiceStream] turns tokens into text; [StopMatcher] holds back what may become a stop string.
/// 5. [ChatWriter] and [CompletionWriter] know the JSON shapes, whole or as chunks; [SseResponse] sends chunks no faster
///    than the client reads. Tokens that come meanwhile wait in the queue and leave together in one chunk.
///
/// What holds:
///
/// - A request gets exactly one answer. An error before the first token is a plain HTTP error; after it, an event in the
///   stream. [ErrorResponses] is the one place that turns an [ApiException] into a status and a body.
/// - A client that goes away cancels all of its choices at once, also while it waits for the first token.
/// - Memory per request is bounded by its body and its `max_tokens`, whatever its reader does; the number of requests by
///   [FrontOptions#requestsMax].
/// - The text does not depend on how tokens are grouped when they arrive.
///
/// The coordinator implements [GenerationService], creates the front and is called by nothing else here.
@NullMarked
package dev.tandem.api;

import org.jspecify.annotations.NullMarked;
