/// How fast blocks move over each transport, beside what the machine could do at best. [TransferFigures] measures in one
/// run, alternating between the ways, so that a busy machine harms all of them alike and ratios stay meaningful.
///
/// Ceilings: [CopyWay] (memory to memory, one thread), [SocketWay] (TCP, no checksum), [GrpcStreamWay] (a gRPC stream of
/// bytes, no checksum), [UcxPutWay] (one-sided UCX puts, no checksum). The transports ([LeaseWay]) do all that they do
/// in a worker: leases, queues, CRC32C on both ends, commit, receipt.
///
/// Both ends are in one process, joined by real sockets and files: allocation can be counted for both, and there is no
/// second JVM to warm up. Run from a checkout after `mvn package`:
///
/// ```
/// java --enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector \
///   --add-opens java.base/jdk.internal.misc=ALL-UNNAMED -cp 'dist/target/tandem/lib/*' \
///   dev.tandem.bench.transfer.TransferFigures --rounds 7 --json figures.json
/// ```
@NullMarked
package dev.tandem.bench.transfer;

import org.jspecify.annotations.NullMarked;
