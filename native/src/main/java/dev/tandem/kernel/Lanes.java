package dev.tandem.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

import java.nio.ByteOrder;

/// The vector shapes that the kernels use on this CPU.
final class Lanes {
    /// For products: the widest shape the CPU has, since a lane there is an output of its own and results do not
    /// depend on how many stand side by side.
    static final VectorSpecies<Float> PRODUCT = product();

    static final int PRODUCT_LENGTH = PRODUCT.length();

    /// Partial sums that every sum over a row is made of, on every CPU: element i belongs to partial sum i mod 8.
    static final int PARTIAL_SUMS = 8;

    /// For sums within a row: eight lanes are the eight partial sums.
    static final VectorSpecies<Float> SUM = FloatVector.SPECIES_256;

    /// Whether the CPU has vectors of eight floats; without, sums are computed by the scalar form, equal in every bit.
    static final boolean HAS_SUM = FloatVector.SPECIES_PREFERRED.length() >= PARTIAL_SUMS;

    static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private Lanes() {}

    private static VectorSpecies<Float> product() {
        return switch (FloatVector.SPECIES_PREFERRED.length()) {
            case 16 -> FloatVector.SPECIES_512;
            case 8 -> FloatVector.SPECIES_256;
            default -> FloatVector.SPECIES_128;
        };
    }
}
