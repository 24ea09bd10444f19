package dev.tandem.prefill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.tandem.engine.WorkerOptions;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerRole;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

class PrefillWorkerTest {
    @TempDir private Path folder;

    @Test
    void theOptionsOfAnotherRoleAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PrefillWorker.run(options(WorkerRole.WORKER_ROLE_DECODE)))
                .withMessageContaining("WORKER_ROLE_DECODE");
    }

    @Test
    void aFolderWithoutAModelEndsWithOne() {
        assertThat(PrefillWorker.run(options(WorkerRole.WORKER_ROLE_PREFILL))).isEqualTo(2);
    }

    private WorkerOptions options(WorkerRole role) {
        return new WorkerOptions(
                "worker-1",
                role,
                folder,
                "127.0.0.1",
                1,
                "127.0.0.1",
                0,
                "",
                "cpu",
                1 << 20,
                16,
                4,
                64,
                1,
                List.of(TransportKind.TRANSPORT_KIND_GRPC));
    }
}
