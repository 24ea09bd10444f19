package dev.tandem.api;

import dev.tandem.core.ErrorCategory;

import org.jspecify.annotations.Nullable;

/// A request that is refused or has failed, in OpenAI's terms. The message goes to the client: it names what is wrong
/// and never carries anything of our insides.
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorCategory category;
    private final String code;
    private final @Nullable String param;
    private final long retryAfterMillis;

    /// @param code OpenAI's error code, such as `context_length_exceeded`; also selects the HTTP status, see
    ///     [ErrorResponses]
    /// @param param the request's field at fault, null if it is none
    public ApiException(
            ErrorCategory category, String code, @Nullable String param, String message) {
        this(category, code, param, message, 0);
    }

    /// @param retryAfterMillis when it may be worth trying again, 0 = unknown
    ApiException(
            ErrorCategory category,
            String code,
            @Nullable String param,
            String message,
            long retryAfterMillis) {
        super(message);
        this.category = category;
        this.code = code;
        this.param = param;
        this.retryAfterMillis = retryAfterMillis;
    }

    /// A field of the right type with a value that is not allowed.
    static ApiException invalidValue(String param, String message) {
        return new ApiException(ErrorCategory.USER, "invalid_value", param, message);
    }

    /// A field of the wrong JSON type.
    static ApiException invalidType(String param, String message) {
        return new ApiException(ErrorCategory.USER, "invalid_type", param, message);
    }

    /// A field or value that OpenAI or vLLM know and this server does not serve.
    static ApiException unsupported(String param, String message) {
        return new ApiException(ErrorCategory.USER, "unsupported_parameter", param, message);
    }

    /// Nobody can serve the request at the moment; answered with 503.
    static ApiException unavailable(String message) {
        return new ApiException(ErrorCategory.CAPACITY, "service_unavailable", null, message);
    }

    public ErrorCategory category() {
        return category;
    }

    public String code() {
        return code;
    }

    public @Nullable String param() {
        return param;
    }

    public long retryAfterMillis() {
        return retryAfterMillis;
    }

    /// Never null, unlike an exception's message in general.
    public String message() {
        return String.valueOf(getMessage());
    }
}
