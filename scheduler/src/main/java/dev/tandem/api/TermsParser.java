package dev.tandem.api;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.RequestHeaders;

import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// How a request wants to be treated, from its headers and its body:
///
/// | | first of |
/// |---|---|
/// | tenant | `X-Tandem-Tenant`; the body's `user`; a hash of the bearer token, never the token itself; none |
/// | lane | `priority` as in vLLM, lower is earlier: below 0 interactive, 0 default, above 0 batch; OpenAI's `service_tier`: `priority` interactive, `flex` batch; the workload class's lane |
/// | workload class | `X-Tandem-Class`; the route |
/// | deadline | `X-Request-Timeout-Ms`, from the request's arrival; none |
/// | affinity | `X-Session-Id`; `prompt_cache_key`; none |
/// | zone | `X-Tandem-Zone`; none |
final class TermsParser {
    static final String TENANT = "x-tandem-tenant";
    static final String CLASS = "x-tandem-class";
    static final String ZONE = "x-tandem-zone";
    static final String SESSION = "x-session-id";
    static final String TIMEOUT = "x-request-timeout-ms";

    private static final int NAME_CHARS_MAX = 256;
    private static final long TIMEOUT_MILLIS_MAX = TimeUnit.DAYS.toMillis(1);
    private static final String BEARER = "bearer ";
    private static final int TOKEN_HASH_BYTES = 8;

    private TermsParser() {}

    /// @param route the path asked for
    /// @param nowNanos `System.nanoTime()` at the request's arrival
    static Terms parse(RequestHeaders headers, Fields body, String route, long nowNanos) {
        String workload = header(headers, CLASS);
        return new Terms(
                tenant(headers, body),
                workload.isEmpty() ? route : workload,
                lane(body),
                "",
                header(headers, ZONE),
                affinity(headers, body),
                deadline(headers, nowNanos));
    }

    private static String tenant(RequestHeaders headers, Fields body) {
        String user = bounded(body, "user");
        String named = header(headers, TENANT);
        if (!named.isEmpty()) {
            return named;
        }
        if (!user.isEmpty()) {
            return user;
        }
        String authorization = headers.get(HttpHeaderNames.AUTHORIZATION, "");
        if (!authorization.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
            return "";
        }
        byte[] hash = sha256(authorization.substring(BEARER.length()).strip());
        return "key-" + HexFormat.of().formatHex(hash, 0, TOKEN_HASH_BYTES);
    }

    private static @Nullable Lane lane(Fields body) {
        Lane byTier = laneOfTier(body);
        if (!body.has("priority")) {
            return byTier;
        }
        long priority = body.longInteger("priority", 0, Long.MIN_VALUE, Long.MAX_VALUE);
        if (priority == 0) {
            return Lane.DEFAULT;
        }
        return priority < 0 ? Lane.INTERACTIVE : Lane.BATCH;
    }

    private static @Nullable Lane laneOfTier(Fields body) {
        String tier = body.string("service_tier");
        return switch (tier == null ? "auto" : tier) {
            case "auto", "default", "scale" -> null;
            case "priority" -> Lane.INTERACTIVE;
            case "flex" -> Lane.BATCH;
            default ->
                    throw ApiException.invalidValue(
                            "service_tier",
                            "'service_tier' must be auto, default, flex, scale or priority.");
        };
    }

    private static long affinity(RequestHeaders headers, Fields body) {
        String key = bounded(body, "prompt_cache_key");
        String session = header(headers, SESSION);
        if (!session.isEmpty()) {
            key = session;
        }
        if (key.isEmpty()) {
            return 0;
        }
        long hash = ByteBuffer.wrap(sha256(key)).getLong();
        return hash == 0 ? 1 : hash;
    }

    private static long deadline(RequestHeaders headers, long nowNanos) {
        String text = header(headers, TIMEOUT);
        if (text.isEmpty()) {
            return 0;
        }
        long millis = -1;
        try {
            millis = Long.parseLong(text);
        } catch (NumberFormatException e) {
            // Told below, with the rule.
        }
        if (millis < 1 || millis > TIMEOUT_MILLIS_MAX) {
            throw ApiException.invalidValue(
                    TIMEOUT,
                    "Header '%s' must be a whole number of milliseconds from 1 to %d."
                            .formatted(TIMEOUT, TIMEOUT_MILLIS_MAX));
        }
        long deadline = nowNanos + TimeUnit.MILLISECONDS.toNanos(millis);
        return deadline == 0 ? 1 : deadline; // 0 would mean none
    }

    private static String header(RequestHeaders headers, String name) {
        String value = headers.get(name, "").strip();
        if (value.length() > NAME_CHARS_MAX) {
            throw ApiException.invalidValue(
                    name,
                    "Header '%s' must be at most %d characters.".formatted(name, NAME_CHARS_MAX));
        }
        return value;
    }

    private static String bounded(Fields body, String name) {
        String value = body.string(name);
        if (value == null) {
            return "";
        }
        if (value.length() > NAME_CHARS_MAX) {
            throw ApiException.invalidValue(
                    name, "'%s' must be at most %d characters.".formatted(name, NAME_CHARS_MAX));
        }
        return value;
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
