package dev.tandem.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Tells whether two workers run on the same host, so that trying shared memory is worth it. Linux's boot id
/// is the same in all containers of a host; whether they also share the folder of the pools only shows when
/// the file is mapped and its incarnation compared.
final class HostIdentity {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private HostIdentity() {}

    /// The boot id, or the host's name where there is none.
    static String local() {
        try {
            return Files.readString(BOOT_ID).strip();
        } catch (IOException noBootId) {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException noName) {
                return ""; // equal to nobody: shared memory is not tried
            }
        }
    }
}
