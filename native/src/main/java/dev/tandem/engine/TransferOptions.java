package dev.tandem.engine;

import dev.tandem.kv.KvShape;
import dev.tandem.transport.SenderOptions;
import dev.tandem.transport.TransferSecurity;

/// How a worker moves KV blocks.
///
/// @param groupLayers layers that are sent together while the next ones are computed; 0 = as [SenderOptions] says
/// @param connections gRPC connections to each receiver
/// @param security of the KV transfer connections
public record TransferOptions(int groupLayers, int connections, TransferSecurity security) {
    public static final TransferOptions DEFAULT =
            new TransferOptions(0, 1, TransferSecurity.PLAINTEXT);

    public TransferOptions {
        if (groupLayers < 0 || connections < 1) {
            throw new IllegalArgumentException(
                    "groups of %d layers over %d connections".formatted(groupLayers, connections));
        }
    }

    int groupLayers(KvShape shape) {
        return groupLayers == 0
                ? SenderOptions.groupLayers(shape)
                : Math.min(groupLayers, shape.layers());
    }
}
