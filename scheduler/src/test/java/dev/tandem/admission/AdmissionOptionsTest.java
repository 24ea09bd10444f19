package dev.tandem.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

class AdmissionOptionsTest {
    private static final WorkloadClass CHAT =
            new WorkloadClass("chat", List.of("/v1/chat"), Lane.INTERACTIVE, 450, 40, 100, 50);

    private static AdmissionOptions options(Map<String, WorkloadClass> classes) {
        AdmissionOptions base = AdmissionOptions.defaults();
        return new AdmissionOptions(
                base.fairness(),
                base.rules(),
                base.laneShares(),
                1,
                2,
                64,
                1_000,
                100,
                8,
                4,
                48_000,
                10,
                base.defaultTenant(),
                Map.of("small", new TenantLimits("small", 1, 0, 0, Lane.DEFAULT)),
                base.defaultClass(),
                classes);
    }

    @Test
    void aClassIsFoundByNameAndByRoute() {
        AdmissionOptions options = options(Map.of("chat", CHAT));
        assertThat(options.classOf("chat")).isEqualTo(CHAT);
        assertThat(options.classOf("/v1/chat")).isEqualTo(CHAT);
        assertThat(options.classOf("")).isEqualTo(options.defaultClass());
        assertThat(options.classOf("unheard-of")).isEqualTo(options.defaultClass());
    }

    @Test
    void wishesAreCutToWhatIsAllowed() {
        AdmissionOptions options = options(Map.of("chat", CHAT));
        TenantAccounts accounts = new TenantAccounts(options);
        Terms chat = new Terms("small", "chat", null, "", "", 0, 77);
        AdmissionRequest request = options.request(1, chat, accounts.open("small", 0), 30, 1_000);
        assertThat(request.lane()).isEqualTo(Lane.DEFAULT); // the tenant's highest
        assertThat(request.outputTokensMax()).isEqualTo(100);
        assertThat(request.costTokens()).isEqualTo(80);
        assertThat(request.deadlineNanos()).isEqualTo(77);
        TenantAccount large = accounts.open("large", 0);
        assertThat(options.request(2, chat, large, 30, 20).lane()).isEqualTo(Lane.INTERACTIVE);
        assertThat(options.request(2, chat, large, 30, 20).outputTokensMax()).isEqualTo(20);
        Terms batch = new Terms("", "chat", Lane.BATCH, "", "", 0, 0);
        assertThat(options.request(3, batch, large, 30, 20).lane()).isEqualTo(Lane.BATCH);
    }

    @Test
    void badConfigurationSaysWhatIsWrong() {
        WorkloadClass other = new WorkloadClass("other", List.of("chat"), Lane.BATCH, 1, 1, 1, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options(Map.of("chat", CHAT, "other", other)))
                .withMessageContaining("'chat' is both workload class");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TestOptions.shares(List.of(1.0, 2.0)))
                .withMessage("laneShares must be 3 numbers, are 2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TestOptions.shares(List.of(1.0, 0.0, 1.0)))
                .withMessageContaining("above 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TenantLimits("t", Double.NaN, 0, 0, Lane.BATCH))
                .withMessage("tenant 't': weight must be a number above 0, is NaN");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TenantLimits("t", 1, 5, 0, Lane.BATCH))
                .withMessage("tenant 't': burstTokens must be at least 1, is 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new WorkloadClass("", List.of(), Lane.BATCH, 1, 1, 1, 1))
                .withMessage("a workload class needs a name");
    }
}
