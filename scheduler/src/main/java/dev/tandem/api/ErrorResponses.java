package dev.tandem.api;

import com.fasterxml.jackson.core.JsonGenerator;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.util.Exceptions;
import com.linecorp.armeria.server.HttpStatusException;
import com.linecorp.armeria.server.RequestTimeoutException;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;

import dev.tandem.core.ErrorCategory;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;

/// The one place that knows which HTTP status and which OpenAI error body an error has. Also the server's handler for
/// errors that never reach our code, such as a broken HTTP message.
final class ErrorResponses implements ServerErrorHandler {
    private static final Logger log = LoggerFactory.getLogger(ErrorResponses.class);

    /// When nothing better is known: soon, but not at once.
    private static final long RETRY_AFTER_MILLIS = 1000;

    private final long bodyBytesMax;

    /// @param bodyBytesMax only for the message of 413
    ErrorResponses(long bodyBytesMax) {
        this.bodyBytesMax = bodyBytesMax;
    }

    static HttpStatus status(ApiException error) {
        return switch (error.category()) {
            case USER ->
                    switch (error.code()) {
                        case "model_not_found", "not_found" -> HttpStatus.NOT_FOUND;
                        case "method_not_allowed" -> HttpStatus.METHOD_NOT_ALLOWED;
                        case "request_timeout" -> HttpStatus.REQUEST_TIMEOUT;
                        case "request_too_large" -> HttpStatus.REQUEST_ENTITY_TOO_LARGE;
                        default -> HttpStatus.BAD_REQUEST;
                    };
            case CAPACITY ->
                    switch (error.code()) {
                        case "service_unavailable" -> HttpStatus.SERVICE_UNAVAILABLE;
                        // The time is over: gateways' word for it, and clients' error class for
                        // time-outs.
                        case "deadline_exceeded" -> HttpStatus.GATEWAY_TIMEOUT;
                        // Too slow for now is a 429 like any overload, too slow at all is not.
                        case "deadline_unreachable" ->
                                error.retryAfterMillis() > 0
                                        ? HttpStatus.TOO_MANY_REQUESTS
                                        : HttpStatus.GATEWAY_TIMEOUT;
                        default -> HttpStatus.TOO_MANY_REQUESTS;
                    };
            case INTERNAL ->
                    error.code().equals("timeout")
                            ? HttpStatus.GATEWAY_TIMEOUT
                            : HttpStatus.INTERNAL_SERVER_ERROR;
        };
    }

    /// `{"error":{...}}`, as a response's body or an event of a stream.
    static byte[] body(ApiException error) {
        return body(error, status(error));
    }

    private static byte[] body(ApiException error, HttpStatus status) {
        return AnswerWriter.object(
                json -> {
                    json.writeObjectFieldStart("error");
                    json.writeStringField("message", error.message());
                    json.writeStringField("type", type(status));
                    writeNullable(json, "param", error.param());
                    json.writeStringField("code", error.code());
                    json.writeEndObject();
                });
    }

    static HttpResponse response(ApiException error) {
        return aggregated(error, status(error)).toHttpResponse();
    }

    /// What the client is told of a failure that may be our own fault: then no more than that it happened.
    ApiException explain(Throwable failure, String requestId) {
        return switch (failure) {
            case ApiException error -> error;
            case ContentTooLargeException _ -> tooLarge();
            case RequestTimeoutException _ ->
                    new ApiException(
                            ErrorCategory.USER,
                            "request_timeout",
                            null,
                            "The request was not completed in time.");
            default -> {
                log.error("Request {} failed", requestId, failure);
                yield new ApiException(
                        ErrorCategory.INTERNAL,
                        "internal_error",
                        null,
                        "Internal error; the server's log has more under request id "
                                + requestId
                                + ".");
            }
        };
    }

    @Override
    public HttpResponse onServiceException(ServiceRequestContext ctx, Throwable cause) {
        if (cause instanceof ClientGoneException || Exceptions.isExpected(cause)) {
            // Nobody reads this answer: the connection or the stream is closed.
            return HttpResponse.of(HttpStatus.CLIENT_CLOSED_REQUEST);
        }
        if (cause instanceof HttpStatusException status) {
            return rendered(status.httpStatus(), null).toHttpResponse();
        }
        return response(explain(cause, ctx.id().shortText()));
    }

    @Override
    public AggregatedHttpResponse onProtocolViolation(
            ServiceConfig config,
            @Nullable RequestHeaders headers,
            HttpStatus status,
            @Nullable String description,
            @Nullable Throwable cause) {
        return rendered(status, description);
    }

    @Override
    public AggregatedHttpResponse renderStatus(
            @Nullable ServiceRequestContext ctx,
            ServiceConfig config,
            @Nullable RequestHeaders headers,
            HttpStatus status,
            @Nullable String description,
            @Nullable Throwable cause) {
        return rendered(status, description);
    }

    private AggregatedHttpResponse rendered(HttpStatus status, @Nullable String description) {
        if (status.equals(HttpStatus.REQUEST_ENTITY_TOO_LARGE)) {
            return aggregated(tooLarge(), status);
        }
        var category = status.isServerError() ? ErrorCategory.INTERNAL : ErrorCategory.USER;
        String message = description == null ? status.reasonPhrase() : description;
        String code = status.isServerError() ? "internal_error" : "invalid_request";
        return aggregated(new ApiException(category, code, null, message), status);
    }

    private ApiException tooLarge() {
        return new ApiException(
                ErrorCategory.USER,
                "request_too_large",
                null,
                "The request body is larger than the %d bytes allowed.".formatted(bodyBytesMax));
    }

    private static AggregatedHttpResponse aggregated(ApiException error, HttpStatus status) {
        var headers = ResponseHeaders.builder(status).contentType(MediaType.JSON_UTF_8);
        if (error.category() == ErrorCategory.CAPACITY) {
            if (status.equals(HttpStatus.GATEWAY_TIMEOUT)) {
                // OpenAI's clients repeat every 5xx at once unless told not to; nobody waits for
                // this one any more.
                headers.add("x-should-retry", "false");
            } else {
                long millis =
                        error.retryAfterMillis() > 0
                                ? error.retryAfterMillis()
                                : RETRY_AFTER_MILLIS;
                headers.add(
                        HttpHeaderNames.RETRY_AFTER, Long.toString(Math.ceilDiv(millis, 1000L)));
                headers.add("retry-after-ms", Long.toString(millis));
            }
        }
        return AggregatedHttpResponse.of(headers.build(), HttpData.wrap(body(error, status)));
    }

    private static String type(HttpStatus status) {
        if (status.equals(HttpStatus.TOO_MANY_REQUESTS)) {
            return "requests";
        }
        return status.isServerError() ? "server_error" : "invalid_request_error";
    }

    private static void writeNullable(JsonGenerator json, String name, @Nullable String value)
            throws IOException {
        if (value == null) {
            json.writeNullField(name);
        } else {
            json.writeStringField(name, value);
        }
    }
}
