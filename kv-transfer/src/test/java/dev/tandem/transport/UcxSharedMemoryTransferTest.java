package dev.tandem.transport;

/// The same over UCX's own shared memory, where UCX does not notice that a peer has died.
class UcxSharedMemoryTransferTest extends UcxTransferTest {
    @Override
    String ways() {
        return "posix,sysv,self";
    }
}
