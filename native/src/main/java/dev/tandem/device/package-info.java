/// Devices and the backend interface between the engine and a device.
@NullMarked
package dev.tandem.device;

import org.jspecify.annotations.NullMarked;
