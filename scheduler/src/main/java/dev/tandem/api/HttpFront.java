package dev.tandem.api;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.util.TimeoutMode;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServiceRequestContext;

import dev.tandem.admission.Terms;
import dev.tandem.api.AnswerWriter.Body;
import dev.tandem.api.CallEvents.Interruption;
import dev.tandem.api.GenerationService.ServedModel;
import dev.tandem.core.ErrorCategory;
import dev.tandem.text.ModelFolder;
import dev.tandem.text.Tokenizer;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// The HTTP server: routes, limits and life. The endpoints are OpenAI's chat completions, completions and models, and
/// `/health`, `/metrics` and `/version`. All methods may be called from any thread.
public final class HttpFront implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(HttpFront.class);

    private static final MediaType METRICS =
            MediaType.parse("text/plain; version=0.0.4; charset=utf-8");
    private static final String CHAT_PATH = "/v1/chat/completions";
    private static final String COMPLETIONS_PATH = "/v1/completions";
    private static final String REQUEST_ID = "x-request-id";
    private static final int REQUEST_ID_CHARS_MAX = 128;

    /// As long as the keep-alive of common proxies, so that they, not we, end idle connections.
    private static final long IDLE_MILLIS_MAX = 75_000;

    /// The server's own limit only strikes when a request's thread has not kept its deadline.
    private static final long DEADLINE_SLACK_MILLIS = 5_000;

    private static final long CLOSE_MILLIS_MAX = 1_000;

    private final FrontOptions options;
    private final GenerationService service;
    private final Tokenizer tokenizer;
    private final Supplier<String> metricsPage;
    private final String modelName;
    private final JsonBodies json;
    private final RequestParser parser;
    private final ErrorResponses errors;
    private final Semaphore slots;
    private final Set<CompletableFuture<Interruption>> interruptions =
            ConcurrentHashMap.newKeySet();
    private final long createdSeconds = Instant.now().getEpochSecond();
    private final Server server;
    private volatile boolean draining;

    /// Binds nothing yet.
    ///
    /// @param metricsPage the whole page in Prometheus' text format; called once per scrape
    public HttpFront(
            FrontOptions options,
            GenerationService service,
            Tokenizer tokenizer,
            PromptRenderer renderer,
            ModelFolder folder,
            Supplier<String> metricsPage) {
        this.options = options;
        this.service = service;
        this.tokenizer = tokenizer;
        this.metricsPage = metricsPage;
        this.modelName = options.modelName().isEmpty() ? folder.name() : options.modelName();
        this.json = new JsonBodies(options.bodyBytesMax());
        this.parser = new RequestParser(options, modelName, tokenizer, renderer, folder, json);
        this.errors = new ErrorResponses(options.bodyBytesMax());
        this.slots = new Semaphore(options.requestsMax());
        this.server = server();
    }

    /// Binds and serves.
    ///
    /// @return the port
    /// @throws CompletionException the address can't be bound; the cause says why
    public int start() {
        server.start().join();
        int port = server.activeLocalPort();
        log.info("HTTP front listens on {}:{}", options.host(), port);
        return port;
    }

    /// From now on `/health` is 404 and new generation requests are refused with 503; those in work go on.
    public void beginDrain() {
        draining = true;
    }

    /// Waits until no generation request is in work; only makes sense after [#beginDrain].
    ///
    /// @return false when the time was too short
    public boolean awaitIdle(long waitMillisMax) throws InterruptedException {
        if (!slots.tryAcquire(options.requestsMax(), waitMillisMax, TimeUnit.MILLISECONDS)) {
            return false;
        }
        slots.release(options.requestsMax());
        return true;
    }

    /// Ends all requests with an error, then the server. May be called more than once.
    @Override
    public void close() {
        draining = true;
        for (CompletableFuture<Interruption> interruption : interruptions) {
            interruption.complete(Interruption.SHUT_DOWN);
        }
        server.stop().join();
    }

    private Server server() {
        return Server.builder()
                .http(new InetSocketAddress(options.host(), options.port()))
                .maxRequestLength(options.bodyBytesMax())
                .requestTimeoutMillis(options.bodyMillisMax())
                .idleTimeoutMillis(IDLE_MILLIS_MAX)
                .gracefulShutdownTimeoutMillis(0, CLOSE_MILLIS_MAX)
                .disableServerHeader()
                .meterRegistry(new CompositeMeterRegistry()) // our metrics page is not the server's
                .unloggedExceptionsReportIntervalMillis(
                        0) // the error handler logs what is our fault
                .errorHandler(errors)
                .service(CHAT_PATH, post(true))
                .service(COMPLETIONS_PATH, post(false))
                .service("/v1/models", get(this::models))
                .service("prefix:/v1/models/", get(this::model))
                .service("/health", get(_ -> health()))
                .service("/metrics", get(_ -> metrics()))
                .service("/version", get(_ -> version()))
                .service("prefix:/", (ctx, _) -> notFound(withRequestId(ctx)))
                .build();
    }

    /// A resource that is read.
    private interface Page {
        HttpResponse render(ServiceRequestContext ctx);
    }

    private HttpService get(Page page) {
        return (ctx, request) -> {
            String id = requestId(withRequestId(ctx));
            HttpMethod method = request.method();
            if (method != HttpMethod.GET && method != HttpMethod.HEAD) {
                return wrongMethod(ctx, "GET, HEAD");
            }
            var response = new CompletableFuture<HttpResponse>();
            Thread.ofVirtual()
                    .name("http " + id)
                    .start(
                            () -> {
                                try {
                                    response.complete(page.render(ctx));
                                } catch (RuntimeException e) {
                                    response.complete(
                                            ErrorResponses.response(errors.explain(e, id)));
                                }
                            });
            return HttpResponse.of(response);
        };
    }

    private HttpService post(boolean chat) {
        return (ctx, request) -> {
            withRequestId(ctx);
            if (request.method() != HttpMethod.POST) {
                return wrongMethod(ctx, "POST");
            }
            if (draining) {
                return ErrorResponses.response(
                        ApiException.unavailable("The server is shutting down."));
            }
            if (!slots.tryAcquire()) {
                return ErrorResponses.response(tooManyRequests());
            }
            return generate(ctx, request, chat);
        };
    }

    /// Holds one slot; gives it back when the request's thread ends.
    private HttpResponse generate(ServiceRequestContext ctx, HttpRequest request, boolean chat) {
        var answer = new CompletableFuture<HttpResponse>();
        HttpResponse response = HttpResponse.of(answer);
        var interruption = new CompletableFuture<Interruption>();
        interruptions.add(interruption);
        var connection = ConnectionWatch.start(ctx, response, interruption);
        request.aggregate()
                .whenComplete(
                        (body, failure) ->
                                Thread.ofVirtual()
                                        .name("request " + requestId(ctx))
                                        .start(
                                                () -> {
                                                    try {
                                                        answer(
                                                                ctx,
                                                                chat,
                                                                body,
                                                                failure,
                                                                answer,
                                                                interruption);
                                                    } finally {
                                                        connection.stop();
                                                        interruptions.remove(interruption);
                                                        slots.release();
                                                    }
                                                }));
        return response;
    }

    private void answer(
            ServiceRequestContext ctx,
            boolean chat,
            @Nullable AggregatedHttpRequest body,
            @Nullable Throwable failure,
            CompletableFuture<HttpResponse> answer,
            CompletableFuture<Interruption> interruption) {
        String id = requestId(ctx);
        try {
            if (body == null) {
                answer.completeExceptionally(
                        failure == null ? new IllegalStateException("no body") : failure);
                return;
            }
            ctx.setRequestTimeoutMillis(
                    TimeoutMode.SET_FROM_NOW, options.requestMillisMax() + DEADLINE_SLACK_MILLIS);
            GenerationCall call = parse(ctx, chat, body.content().array());
            interruption.thenAccept(call::interrupt);
            call.run(answer, e -> errors.explain(e, id));
        } catch (RuntimeException e) {
            answer.complete(ErrorResponses.response(errors.explain(e, id)));
        }
    }

    private GenerationCall parse(ServiceRequestContext ctx, boolean chat, byte[] body) {
        long nowNanos = System.nanoTime();
        long deadlineNanos = nowNanos + TimeUnit.MILLISECONDS.toNanos(options.requestMillisMax());
        var tree = json.parse(body);
        ServedModel model = service.model();
        if (model == null || !service.ready()) {
            throw ApiException.unavailable("No worker is ready to serve the model yet.");
        }
        Terms terms =
                TermsParser.parse(
                        ctx.request().headers(),
                        new Fields(tree, ""),
                        chat ? CHAT_PATH : COMPLETIONS_PATH,
                        nowNanos);
        CompletionRequest request =
                chat ? parser.chat(tree, model, terms) : parser.completion(tree, model, terms);
        var head =
                new AnswerWriter.Head(
                        RandomIds.next(chat ? "chatcmpl-" : "cmpl-"),
                        Instant.now().getEpochSecond(),
                        modelName,
                        systemFingerprint(model));
        AnswerWriter writer =
                chat
                        ? new ChatWriter(head, request.output(), tokenizer)
                        : new CompletionWriter(
                                head, request.output(), tokenizer, request.sequences().size());
        return new GenerationCall(request, service, tokenizer, writer, deadlineNanos);
    }

    private static String systemFingerprint(ServedModel model) {
        String all = model.fingerprint();
        return "fp_" + all.substring(0, Math.min(12, all.length()));
    }

    private HttpResponse health() {
        if (draining) {
            return ErrorResponses.response(
                    new ApiException(
                            ErrorCategory.USER, "not_found", null, "The server is draining."));
        }
        if (!service.ready()) {
            return ErrorResponses.response(
                    ApiException.unavailable("No worker is ready to serve the model yet."));
        }
        return ok(body -> body.writeStringField("status", "ok"));
    }

    private HttpResponse metrics() {
        return HttpResponse.of(
                HttpStatus.OK,
                METRICS,
                HttpData.wrap(metricsPage.get().getBytes(StandardCharsets.UTF_8)));
    }

    private HttpResponse version() {
        return ok(body -> body.writeStringField("version", options.version()));
    }

    private HttpResponse models(ServiceRequestContext ctx) {
        return ok(
                body -> {
                    body.writeStringField("object", "list");
                    body.writeArrayFieldStart("data");
                    body.writeStartObject();
                    modelFields().write(body);
                    body.writeEndObject();
                    body.writeEndArray();
                });
    }

    private HttpResponse model(ServiceRequestContext ctx) {
        String name =
                ctx.decodedPath()
                        .substring("/v1/models/".length())
                        .replaceAll("%2[Ff]", "/"); // an encoded slash stays encoded in a path
        if (!name.equals(modelName)) {
            return ErrorResponses.response(RequestParser.modelNotFound(name));
        }
        return ok(modelFields());
    }

    private Body modelFields() {
        return body -> {
            body.writeStringField("id", modelName);
            body.writeStringField("object", "model");
            body.writeNumberField("created", createdSeconds);
            body.writeStringField("owned_by", "tandem");
            ServedModel model = service.model();
            if (model != null) {
                body.writeNumberField("max_model_len", parser.contextTokensMax(model));
            }
        };
    }

    private static HttpResponse ok(Body body) {
        return HttpResponse.of(
                HttpStatus.OK, MediaType.JSON_UTF_8, HttpData.wrap(AnswerWriter.object(body)));
    }

    private static HttpResponse notFound(ServiceRequestContext ctx) {
        String path = ctx.path().length() > 200 ? ctx.path().substring(0, 200) : ctx.path();
        return ErrorResponses.response(
                new ApiException(
                        ErrorCategory.USER,
                        "not_found",
                        null,
                        "Unknown request URL: %s %s.".formatted(ctx.method(), path)));
    }

    private static HttpResponse wrongMethod(ServiceRequestContext ctx, String allowed) {
        ctx.setAdditionalResponseHeader(HttpHeaderNames.ALLOW, allowed);
        return ErrorResponses.response(
                new ApiException(
                        ErrorCategory.USER,
                        "method_not_allowed",
                        null,
                        "Method %s is not allowed here; allowed: %s."
                                .formatted(ctx.method(), allowed)));
    }

    private static ApiException tooManyRequests() {
        return new ApiException(
                ErrorCategory.CAPACITY,
                "rate_limit_exceeded",
                null,
                "Too many requests are in work; try again later.");
    }

    /// Echoes the client's request id, or gives one.
    private static ServiceRequestContext withRequestId(ServiceRequestContext ctx) {
        String given = ctx.request().headers().get(REQUEST_ID);
        boolean usable =
                given != null
                        && !given.isEmpty()
                        && given.length() <= REQUEST_ID_CHARS_MAX
                        && given.chars().allMatch(c -> c > ' ' && c < 0x7f);
        ctx.setAdditionalResponseHeader(
                REQUEST_ID, usable && given != null ? given : RandomIds.next("req-"));
        return ctx;
    }

    private static String requestId(ServiceRequestContext ctx) {
        return ctx.additionalResponseHeaders().get(REQUEST_ID, "");
    }
}
