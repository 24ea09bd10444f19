package dev.tandem.api;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;

import dev.tandem.api.AnswerWriter.EndedChoice;
import dev.tandem.api.AnswerWriter.UsageTotals;
import dev.tandem.api.CallEvents.Event;
import dev.tandem.api.CallEvents.Failed;
import dev.tandem.api.CallEvents.Finished;
import dev.tandem.api.CallEvents.Interrupted;
import dev.tandem.api.CallEvents.Interruption;
import dev.tandem.api.CallEvents.Started;
import dev.tandem.api.CallEvents.Token;
import dev.tandem.api.ChoiceStream.Delta;
import dev.tandem.api.GenerationService.Handle;
import dev.tandem.core.ErrorCategory;
import dev.tandem.text.Tokenizer;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/// One request from its submission to the end of its answer. [#run] does all the work on the request's virtual thread;
/// only [#interrupt] comes from elsewhere.
final class GenerationCall {
    private final CompletionRequest request;
    private final GenerationService service;
    private final AnswerWriter answer;
    private final long deadlineNanos;
    private final CallEvents events;
    private final List<ChoiceStream> choices = new ArrayList<>();
    private final boolean[] announced;

    /// Guarded by itself: handles of choices submitted so far, and whether further ones are cancelled at once.
    private final List<Handle> handles = new ArrayList<>();

    private boolean cancelled;
    private boolean over;

    /// @param deadlineNanos `System.nanoTime()` at which the request fails
    GenerationCall(
            CompletionRequest request,
            GenerationService service,
            Tokenizer tokenizer,
            AnswerWriter answer,
            long deadlineNanos) {
        this.request = request;
        this.service = service;
        this.answer = answer;
        this.deadlineNanos = deadlineNanos;
        this.events = new CallEvents(request.sequences());
        this.announced = new boolean[request.sequences().size()];
        for (int i = 0; i < announced.length; i++) {
            var detokenizer = tokenizer.continuation(request.output().skipSpecialTokens());
            choices.add(new ChoiceStream(request.output(), detokenizer));
        }
    }

    /// Cancels all choices at once and ends [#run]. Any thread, any time, does nothing when all is over.
    void interrupt(Interruption why) {
        cancelAll();
        events.add(new Interrupted(why));
    }

    /// Generates and answers. An error before the first token becomes a response of its own, a later one an event.
    ///
    /// @param response completed in any case, in a stream as soon as there is something to say
    /// @param explain makes an error for the client of any failure
    void run(CompletableFuture<HttpResponse> response, Function<Throwable, ApiException> explain) {
        SseResponse stream = request.output().stream() ? new SseResponse() : null;
        try {
            submitAll();
            if (stream == null) {
                while (!allEnded()) {
                    applyEvents();
                }
                response.complete(wholeAnswer());
            } else {
                stream(stream, response);
            }
            over();
        } catch (ClientGoneException e) {
            if (stream != null) {
                stream.abort();
            }
            response.completeExceptionally(e);
        } catch (TimeoutException e) {
            fail(timedOut(), response, stream);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(ApiException.unavailable("The server is shutting down."), response, stream);
        } catch (RuntimeException e) {
            fail(explain.apply(e), response, stream);
        } finally {
            cancelAll();
        }
    }

    private void submitAll() {
        for (int i = 0; i < request.sequences().size(); i++) {
            Handle handle = service.submit(request.sequences().get(i), events.sink(i));
            synchronized (handles) {
                handles.add(handle);
                if (!cancelled) {
                    continue;
                }
            }
            handle.cancel();
            return; // the reason is in the queue
        }
    }

    private void stream(SseResponse stream, CompletableFuture<HttpResponse> response)
            throws InterruptedException, TimeoutException, ClientGoneException {
        applyEvents(); // a refusal comes first and is still a plain HTTP error
        for (int i = 0; i < choices.size(); i++) {
            byte[] opening = answer.opening(i, request.sequences().get(i).promptTokens());
            if (opening != null) {
                stream.event(opening);
            }
        }
        response.complete(stream.response());
        while (true) {
            addChunks(stream);
            if (allEnded()) {
                break;
            }
            flush(stream);
            applyEvents();
        }
        if (request.output().includeUsage()) {
            stream.event(answer.usage(usage()));
        }
        stream.done();
        flush(stream);
        stream.close();
    }

    private void flush(SseResponse stream)
            throws InterruptedException, TimeoutException, ClientGoneException {
        if (!stream.flush(nanosLeft())) {
            throw new ClientGoneException();
        }
    }

    /// Waits for news and gives them to the choices.
    private void applyEvents() throws InterruptedException, TimeoutException, ClientGoneException {
        List<Event> batch = events.take(nanosLeft());
        if (batch.isEmpty() || nanosLeft() == 0) {
            throw new TimeoutException();
        }
        for (Event event : batch) {
            switch (event) {
                case Token token -> {
                    if (choices.get(token.choice()).token(token.token(), token.logprobs())) {
                        handle(token.choice()).stop();
                    }
                }
                case Started start -> choices.get(start.choice()).started(start.cachedTokens());
                case Finished end -> choices.get(end.choice()).finish(end.reason());
                case Failed failed ->
                        throw new ApiException(
                                failed.category(),
                                failed.code(),
                                null,
                                failed.message(),
                                failed.retryAfterMillis());
                case Interrupted interrupted -> {
                    switch (interrupted.why()) {
                        case CLIENT_GONE -> throw new ClientGoneException();
                        case SHUT_DOWN ->
                                throw ApiException.unavailable("The server is shutting down.");
                    }
                }
            }
        }
    }

    private void addChunks(SseResponse stream) {
        for (int i = 0; i < choices.size(); i++) {
            ChoiceStream choice = choices.get(i);
            Delta delta = choice.takeDelta();
            if (!delta.isEmpty()) {
                stream.event(answer.delta(i, delta));
            }
            if (choice.ended() && !announced[i]) {
                announced[i] = true;
                stream.event(answer.ending(i, choice.finishReason(), choice.stopReason()));
            }
        }
    }

    private HttpResponse wholeAnswer() {
        var ended = new ArrayList<EndedChoice>();
        for (int i = 0; i < choices.size(); i++) {
            ChoiceStream choice = choices.get(i);
            ended.add(
                    new EndedChoice(
                            i,
                            request.sequences().get(i).promptTokens(),
                            choice.takeDelta(),
                            choice.finishReason(),
                            choice.stopReason()));
        }
        return HttpResponse.of(
                HttpStatus.OK, MediaType.JSON_UTF_8, HttpData.wrap(answer.whole(ended, usage())));
    }

    private UsageTotals usage() {
        int completion = 0;
        int cached = 0;
        for (int first = 0; first < choices.size(); first += request.choicesPerPrompt()) {
            int ofPrompt = 0;
            for (int i = first; i < first + request.choicesPerPrompt(); i++) {
                completion += choices.get(i).completionTokens();
                ofPrompt = Math.max(ofPrompt, choices.get(i).cachedTokens());
            }
            cached += ofPrompt;
        }
        return new UsageTotals(request.promptTokens(), completion, cached);
    }

    private boolean allEnded() {
        for (ChoiceStream choice : choices) {
            if (!choice.ended()) {
                return false;
            }
        }
        return true;
    }

    private Handle handle(int choice) {
        synchronized (handles) {
            return handles.get(choice);
        }
    }

    private void over() {
        synchronized (handles) {
            over = true;
        }
    }

    private void cancelAll() {
        List<Handle> all;
        synchronized (handles) {
            if (over || cancelled) {
                return;
            }
            cancelled = true;
            all = List.copyOf(handles);
        }
        for (Handle handle : all) {
            handle.cancel();
        }
    }

    private static void fail(
            ApiException error,
            CompletableFuture<HttpResponse> response,
            @Nullable SseResponse stream) {
        if (stream == null || !response.isDone()) {
            response.complete(ErrorResponses.response(error));
            return;
        }
        stream.event(ErrorResponses.body(error));
        stream.close();
    }

    private static ApiException timedOut() {
        return new ApiException(
                ErrorCategory.INTERNAL, "timeout", null, "The request took too long.");
    }

    private long nanosLeft() {
        return Math.max(0, deadlineNanos - System.nanoTime());
    }
}
