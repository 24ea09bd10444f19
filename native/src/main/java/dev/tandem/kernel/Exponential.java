package dev.tandem.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// `e^x` in float32, with the same operations in the scalar and in the vector form, so that both give the same bits.
/// (A library's exponential may differ between interpreter, compiler and CPU.)
///
/// Cephes' expf: `x = n ln 2 + r`, a polynomial of degree 6 in r, then n is added to the exponent. Error below 2 units
/// in the last place. The argument is clamped to [-87, 88], where the result is a normal number.
final class Exponential {
    private static final float LOWEST = -87;
    private static final float HIGHEST = 88;
    private static final float LOG2_E = 1.44269504f;

    /// Adding it rounds to a whole number, which then stands in the low bits.
    private static final float ROUNDER = 12582912f;

    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final float C6 = 1.9875691500e-4f;
    private static final float C5 = 1.3981999507e-3f;
    private static final float C4 = 8.3334519073e-3f;
    private static final float C3 = 4.1665795894e-2f;
    private static final float C2 = 1.6666665459e-1f;
    private static final float C1 = 5.0000001201e-1f;
    private static final int MANTISSA_BITS = 23;

    private Exponential() {}

    static float exp(float argument) {
        float x = Math.min(Math.max(argument, LOWEST), HIGHEST);
        float shifted = Math.fma(x, LOG2_E, ROUNDER);
        float n = shifted - ROUNDER;
        float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, x));
        float p = Math.fma(C6, r, C5);
        p = Math.fma(p, r, C4);
        p = Math.fma(p, r, C3);
        p = Math.fma(p, r, C2);
        p = Math.fma(p, r, C1);
        p = Math.fma(p, r * r, r) + 1;
        return Float.intBitsToFloat(
                Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << MANTISSA_BITS));
    }

    static FloatVector exp(FloatVector argument) {
        var species = argument.species();
        FloatVector x = argument.max(LOWEST).min(HIGHEST);
        FloatVector rounder = FloatVector.broadcast(species, ROUNDER);
        FloatVector shifted = x.fma(FloatVector.broadcast(species, LOG2_E), rounder);
        FloatVector n = shifted.sub(rounder);
        FloatVector r = n.fma(FloatVector.broadcast(species, -LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(species, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(species, C6);
        p = p.fma(r, FloatVector.broadcast(species, C5));
        p = p.fma(r, FloatVector.broadcast(species, C4));
        p = p.fma(r, FloatVector.broadcast(species, C3));
        p = p.fma(r, FloatVector.broadcast(species, C2));
        p = p.fma(r, FloatVector.broadcast(species, C1));
        p = p.fma(r.mul(r), r).add(1);
        return p.reinterpretAsInts()
                .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, MANTISSA_BITS))
                .reinterpretAsFloats();
    }
}
