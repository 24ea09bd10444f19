package dev.tandem.batching;

/// What is known of a replica's device and model before it has done anything: enough for a roofline (Williams,
/// Waterman, Patterson, CACM 2009). 0 means unknown.
///
/// @param name the device, for people
/// @param flopsPerSecond dense products, as measured
/// @param bytesPerSecond reads from the device's memory, as measured
/// @param linkBytesPerSecond KV bytes that it can send or receive
/// @param flopsPerToken of all layers' products for one token, attention apart
/// @param flopsPerPair of attention for one pair of a query token and a token before it
/// @param weightBytes read by every step
/// @param kvBytesPerToken of all layers
public record DeviceFacts(
        String name,
        double flopsPerSecond,
        double bytesPerSecond,
        double linkBytesPerSecond,
        double flopsPerToken,
        double flopsPerPair,
        double weightBytes,
        double kvBytesPerToken) {

    public static DeviceFacts unknown() {
        return new DeviceFacts("", 0, 0, 0, 0, 0, 0, 0);
    }
}
