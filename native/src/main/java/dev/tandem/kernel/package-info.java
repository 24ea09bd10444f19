/// Arithmetic on the CPU: vector kernels in float32, each beside a scalar form that it equals in every bit.
///
/// The promise of this package is that a row's result is a function of that row. It must not depend on the rows beside
/// it, on how a prompt was cut into chunks, on the number of threads, on the width of the CPU's vectors, nor on whether
/// the interpreter or a compiler runs the code. So:
/// - every sum has one fixed order. A product's output is one chain of fused multiply-adds ([Matmul]), a sum over a row
///   is eight partial sums and a fixed tree ([Rows], [PagedAttention]); `reduceLanes` is never used;
/// - transcendental functions are our own polynomials ([Exponential]) or StrictMath ([RopeTable]), never a vector
///   library's;
/// - threads share work by outputs, never by parts of a sum ([ThreadTeam]).
///
/// Weights are repacked once ([PackedMatrix]) into panels whose lanes are outputs, which makes a product one sequential
/// read of the weights with no sum across lanes; activations are plain arrays; KV lies in the pool's memory.
///
/// Kernels own no memory and trust block numbers; bounds are checked by `dev.tandem.device`, which calls them.
@NullMarked
package dev.tandem.kernel;

import org.jspecify.annotations.NullMarked;
