package dev.tandem.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;
import dev.tandem.core.ErrorCategory;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;

/// What a request says of who asks and how soon it has to be done, and what it is told when that can't be.
class TermsTest {
    private static FrontFixture fixture;

    @BeforeAll
    static void start() {
        fixture = new FrontFixture();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        fixture.close();
    }

    @BeforeEach
    void reset() {
        fixture.service.reset();
    }

    /// @param fields of the body, each with a comma before it
    private static HttpResponse<String> post(String fields, String... headers) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(fixture.uri("/v1/completions"))
                        .POST(BodyPublishers.ofString("{\"prompt\":\"hi\"" + fields + "}"));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return fixture.client.send(request.build(), BodyHandlers.ofString());
    }

    private static Terms terms(String fields, String... headers) throws Exception {
        HttpResponse<String> response = post(fields, headers);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return fixture.service.submitted.take().request.terms();
    }

    @Test
    void aPlainRequestHasNoWishes() throws Exception {
        assertThat(terms("")).isEqualTo(new Terms("", "/v1/completions", null, "", "", 0, 0));
    }

    @Test
    void theTenantIsNamedOrKnownByUserOrToken() throws Exception {
        String user = ",\"user\":\"u-1\"";
        String[] token = {"Authorization", "Bearer sk-secret"};
        assertThat(terms(user, "X-Tandem-Tenant", "team", token[0], token[1]).tenant())
                .isEqualTo("team");
        assertThat(terms(user, token).tenant()).isEqualTo("u-1");
        String byToken = terms("", token).tenant();
        assertThat(byToken).matches("key-[0-9a-f]{16}").isEqualTo(terms("", token).tenant());
        assertThat(terms("", "Authorization", "bearer other").tenant())
                .matches("key-[0-9a-f]{16}")
                .isNotEqualTo(byToken);
        assertThat(terms("", "Authorization", "Basic YTpi").tenant()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                ",\"priority\":-3 ! INTERACTIVE",
                ",\"priority\":0 ! DEFAULT",
                ",\"priority\":7 ! BATCH",
                ",\"service_tier\":\"priority\" ! INTERACTIVE",
                ",\"service_tier\":\"flex\" ! BATCH",
                ",\"service_tier\":\"auto\" ! -",
                ",\"service_tier\":\"default\" ! -",
                ",\"service_tier\":\"flex\",\"priority\":-1 ! INTERACTIVE"
            })
    void thePriorityOrTheServiceTierChooseTheLane(String fields, String lane) throws Exception {
        assertThat(terms(fields).lane()).isEqualTo(lane.equals("-") ? null : Lane.valueOf(lane));
    }

    @Test
    void classZoneAndDeadlineAreHeaders() throws Exception {
        long before = System.nanoTime();
        Terms terms =
                terms(
                        "",
                        "X-Tandem-Class",
                        "nightly",
                        "X-Tandem-Zone",
                        "z1",
                        "X-Request-Timeout-Ms",
                        "60000");
        long after = System.nanoTime();
        assertThat(terms.workload()).isEqualTo("nightly");
        assertThat(terms.zone()).isEqualTo("z1");
        assertThat(terms.deadlineNanos() - TimeUnit.MINUTES.toNanos(1)).isBetween(before, after);
    }

    @Test
    void theSessionOrTheCacheKeyIsTheAffinity() throws Exception {
        String field = ",\"prompt_cache_key\":\"k\"";
        long byField = terms(field).affinityKey();
        assertThat(byField).isNotZero().isEqualTo(terms("", "X-Session-Id", "k").affinityKey());
        assertThat(terms(field, "X-Session-Id", "other").affinityKey())
                .isNotZero()
                .isNotEqualTo(byField);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "X-Request-Timeout-Ms ! 0",
                "X-Request-Timeout-Ms ! -5",
                "X-Request-Timeout-Ms ! 1.5",
                "X-Request-Timeout-Ms ! 99999999999999999999",
                "X-Request-Timeout-Ms ! 86400001",
                "X-Tandem-Tenant ! LONG",
                "X-Tandem-Class ! LONG",
                "X-Tandem-Zone ! LONG",
                "X-Session-Id ! LONG"
            })
    void aWrongHeaderIsRefused(String name, String value) throws Exception {
        String sent = value.equals("LONG") ? "x".repeat(257) : value;
        requireRefused(post("", name, sent), name.toLowerCase(java.util.Locale.ROOT));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            value = {
                "priority ! \"high\"",
                "priority ! 1.5",
                "service_tier ! \"gold\"",
                "service_tier ! 1",
                "user ! 5",
                "prompt_cache_key ! []",
                "user ! LONG",
                "prompt_cache_key ! LONG"
            })
    void aWrongFieldIsRefused(String name, String value) throws Exception {
        String sent = value.equals("LONG") ? "\"" + "x".repeat(257) + "\"" : value;
        requireRefused(post(",\"%s\":%s".formatted(name, sent)), name);
    }

    private static void requireRefused(HttpResponse<String> response, String param)
            throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        JsonNode error = FrontFixture.JSON.readTree(response.body()).path("error");
        assertThat(error.path("param").asText()).isEqualTo(param);
        assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
        assertThat(fixture.service.submitted).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "rate_limit_exceeded, 2500, 429, 3, 2500",
        "tenant_budget_exceeded, 1000, 429, 1, 1000",
        "overloaded, 0, 429, 1, 1000",
        "service_unavailable, 0, 503, 1, 1000",
        "deadline_unreachable, 4001, 429, 5, 4001",
        "deadline_unreachable, 0, 504, -, -",
        "deadline_exceeded, 0, 504, -, -"
    })
    void aRefusalSaysWhenToComeBackIfEver(
            String code, long retryAfterMillis, int status, String seconds, String millis)
            throws Exception {
        fixture.service.failAt = 0;
        fixture.service.failCategory = ErrorCategory.CAPACITY;
        fixture.service.failCode = code;
        fixture.service.retryAfterMillis = retryAfterMillis;
        HttpResponse<String> response = post("");
        assertThat(response.statusCode()).isEqualTo(status);
        JsonNode error = FrontFixture.JSON.readTree(response.body()).path("error");
        assertThat(error.path("code").asText()).isEqualTo(code);
        assertThat(response.headers().firstValue("retry-after").orElse("-")).isEqualTo(seconds);
        assertThat(response.headers().firstValue("retry-after-ms").orElse("-")).isEqualTo(millis);
        assertThat(response.headers().firstValue("x-should-retry").isPresent())
                .isEqualTo(status == 504);
    }
}
