package dev.tandem.transport;

import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import java.io.IOException;

/// One way of moving blocks to another worker. Any thread may open links.
public interface BlockTransport {
    TransportKind kind();

    /// Connects to a receiver; blocks until that worked or failed.
    ///
    /// @param endpoint the receiver's, of this kind
    /// @param receiverIncarnation that must answer there
    /// @param waitMillisMax for the connection
    /// @throws IOException this transport can't reach that receiver; another kind may
    BlockLink open(TransferEndpoint endpoint, long receiverIncarnation, long waitMillisMax)
            throws IOException, InterruptedException;
}
