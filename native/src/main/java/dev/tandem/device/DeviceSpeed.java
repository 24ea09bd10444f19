package dev.tandem.device;

/// Speed of a device, measured with the model's own weights.
///
/// @param flopsPerSecond dense products over many rows, as in a prefill; a fused multiply-add counts two
/// @param bytesPerSecond weights read by a product of one row, as in a decode
public record DeviceSpeed(double flopsPerSecond, double bytesPerSecond) {}
