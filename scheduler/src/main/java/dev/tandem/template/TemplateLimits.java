package dev.tandem.template;

/// What one rendering may use, so that a hostile template or a hostile request fails with an error instead of holding
/// a server's thread or memory.
///
/// @param outputCharsMax UTF-16 units of the rendered text
/// @param createdCharsMax UTF-16 units of all strings made on the way, together (also bounds any single one)
/// @param stepsMax statements, expressions, loop iterations and compared elements, together
/// @param callDepthMax macros, callers and recursive loops inside each other
/// @param valueDepthMax lists and maps inside each other, in the variables given
public record TemplateLimits(
        int outputCharsMax,
        long createdCharsMax,
        long stepsMax,
        int callDepthMax,
        int valueDepthMax) {
    /// Room for a prompt of a few million tokens; a second of one core at the very most.
    public static final TemplateLimits DEFAULT =
            new TemplateLimits(16 << 20, 256L << 20, 20_000_000L, 100, 200);

    public TemplateLimits {
        if (outputCharsMax < 1
                || createdCharsMax < 1
                || stepsMax < 1
                || callDepthMax < 1
                || valueDepthMax < 1) {
            throw new IllegalArgumentException("every limit of a template must be at least 1");
        }
    }
}
