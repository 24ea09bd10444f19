package dev.tandem.device;

import java.io.IOException;

/// The device that was asked for can't be used here; the message is one sentence for the operator.
public final class DeviceUnavailableException extends IOException {
    private static final long serialVersionUID = 1;

    public DeviceUnavailableException(String message) {
        super(message);
    }
}
