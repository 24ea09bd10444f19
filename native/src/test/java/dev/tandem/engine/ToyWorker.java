package dev.tandem.engine;

import dev.tandem.wire.WorkerRole;

import java.nio.file.Path;
import java.util.List;

/// A worker process with the toy model, for tests of what only a whole process can show.
public final class ToyWorker {
    private ToyWorker() {}

    /// Runs until told to stop.
    ///
    /// @param args the coordinator's port
    public static void main(String[] args) {
        var options =
                new WorkerOptions(
                        "toy-worker",
                        WorkerRole.WORKER_ROLE_PREFILL,
                        Path.of("unused"),
                        "127.0.0.1",
                        Integer.parseInt(args[0]),
                        "127.0.0.1",
                        0,
                        "",
                        "cpu",
                        1 << 20,
                        ToyBackend.SHAPE.blockTokens(),
                        4,
                        64,
                        1,
                        List.of());
        var worker =
                new WorkerProcess(
                        options,
                        new LoadedModel(new ToyBackend(), "f1e2", 1, 1, new ModelWork(1, 1, 1)),
                        (incarnation, shape, blocks) -> new FakeTransport().kvSide(shape, blocks));
        System.exit(WorkerMain.run(worker));
    }
}
