package dev.tandem.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.tandem.engine.WorkerOptions;
import dev.tandem.wire.TransportKind;
import dev.tandem.wire.WorkerRole;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

class DecodeWorkerTest {
    @TempDir private Path folder;

    @Test
    void theOptionsOfAnotherRoleAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DecodeWorker.run(options(WorkerRole.WORKER_ROLE_PREFILL)))
                .withMessageContaining("WORKER_ROLE_PREFILL");
    }

    @Test
    void aFolderWithoutAModelEndsWithOne() {
        assertThat(DecodeWorker.run(options(WorkerRole.WORKER_ROLE_DECODE))).isEqualTo(2);
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
