package dev.tandem.sim.cost;

/// What a GPU can do: its data sheet, and which share of it large kernels reach.
///
/// @param name                 as the profile folders call it
/// @param flopsPerSecond       dense bfloat16 products, data sheet
/// @param fp8FlopsPerSecond    dense fp8 products, data sheet; 0 where the device has none
/// @param bytesPerSecond       memory bandwidth, data sheet
/// @param memoryBytes          memory
/// @param linkBytesPerSecond   to the other devices of the host, one direction
/// @param computeEfficiency    share of the FLOP rate reached, 0 to 1
/// @param memoryEfficiency     share of the bandwidth reached, 0 to 1
/// @param stepOverheadNanos    fixed time of a step: launch, sampling, copy of the tokens
/// @param collectiveNanos      fixed time of one all-reduce
public record Device(
        String name,
        double flopsPerSecond,
        double fp8FlopsPerSecond,
        double bytesPerSecond,
        long memoryBytes,
        double linkBytesPerSecond,
        double computeEfficiency,
        double memoryEfficiency,
        long stepOverheadNanos,
        long collectiveNanos) {
    /// NVIDIA H100 SXM. Data sheet as in aiconfigurator's `h100_sxm.yaml`; the shares are what large products reach in its measured tables.
    public static final Device H100 =
            new Device(
                    "h100_sxm",
                    989e12,
                    1978e12,
                    3.35e12,
                    80L << 30,
                    450e9,
                    0.80,
                    0.85,
                    1_000_000,
                    10_000);

    /// NVIDIA H200 SXM. The shares are the ceilings measured on a card: 790 TFLOP/s and 4.3 TB/s.
    public static final Device H200 =
            new Device(
                    "h200_sxm",
                    989e12,
                    1978e12,
                    4.8e12,
                    141L << 30,
                    450e9,
                    790.0 / 989,
                    4.3 / 4.8,
                    1_000_000,
                    10_000);

    /// NVIDIA A100 SXM 80 GB. Data sheet as in aiconfigurator's `a100_sxm.yaml`; the shares are what large products reach in its measured tables.
    public static final Device A100 =
            new Device(
                    "a100_sxm",
                    312e12,
                    0,
                    2.039e12,
                    80L << 30,
                    300e9,
                    0.90,
                    0.75,
                    1_000_000,
                    10_000);

    /// @throws IllegalArgumentException a rate is not positive or a share not in (0, 1]
    public Device {
        if (!(flopsPerSecond > 0 && bytesPerSecond > 0 && linkBytesPerSecond > 0)
                || memoryBytes <= 0) {
            throw new IllegalArgumentException(
                    name + ": FLOP/s, bytes/s, link bytes/s and memory must be above 0");
        }
        if (!(computeEfficiency > 0
                && computeEfficiency <= 1
                && memoryEfficiency > 0
                && memoryEfficiency <= 1)) {
            throw new IllegalArgumentException(
                    name + ": efficiencies must be above 0 and at most 1");
        }
        if (stepOverheadNanos < 0 || collectiveNanos < 0 || fp8FlopsPerSecond < 0) {
            throw new IllegalArgumentException(name + ": times and rates can't be negative");
        }
    }

    /// @return the built-in device of this name: `h100`, `h200` or `a100`, with or without `_sxm`
    /// @throws IllegalArgumentException there is none
    public static Device named(String name) {
        for (Device device : new Device[] {H100, H200, A100}) {
            if (device.name.equalsIgnoreCase(name) || device.name.equalsIgnoreCase(name + "_sxm")) {
                return device;
            }
        }
        throw new IllegalArgumentException(
                "no built-in device '" + name + "'; there are h100, h200, a100");
    }

    /// @return this device with no fixed times: the physical floor
    public Device withoutOverhead() {
        return new Device(
                name,
                flopsPerSecond,
                fp8FlopsPerSecond,
                bytesPerSecond,
                memoryBytes,
                linkBytesPerSecond,
                computeEfficiency,
                memoryEfficiency,
                0,
                0);
    }

    /// @param weightBytes 2 for bfloat16 products, 1 for fp8
    /// @return products per second that large kernels reach
    /// @throws IllegalArgumentException the device has no products of this width
    public double effectiveFlops(int weightBytes) {
        double rate = weightBytes == 1 ? fp8FlopsPerSecond : flopsPerSecond;
        if (rate == 0) {
            throw new IllegalArgumentException(name + " has no fp8 products");
        }
        return rate * computeEfficiency;
    }

    /// @return bytes per second that large kernels reach
    public double effectiveBytes() {
        return bytesPerSecond * memoryEfficiency;
    }
}
