package dev.tandem.text;

/// A sequence's bytes, token after token, through one [Utf8Assembler]; O(bytes of the token) a push.
final class IncrementalDetokenizer implements Detokenizer {
    private final TokenTable table;
    private final boolean skipSpecialTokens;
    private final Utf8Assembler characters;
    private final StringBuilder piece = new StringBuilder();
    private int spacesToDrop;

    /// @param spacesToDrop leading spaces of the text that are left out, at most
    IncrementalDetokenizer(
            TokenTable table,
            boolean skipSpecialTokens,
            boolean replaceEachByte,
            int spacesToDrop) {
        this.table = table;
        this.skipSpecialTokens = skipSpecialTokens;
        this.characters = new Utf8Assembler(replaceEachByte);
        this.spacesToDrop = spacesToDrop;
    }

    @Override
    public String push(int token) {
        if (skipSpecialTokens && table.isSpecial(token)) {
            return ""; // the bytes around it stay neighbours, as when decoding without it
        }
        table.pushTo(characters, token, piece);
        return take();
    }

    @Override
    public String finish() {
        characters.finish(piece);
        return take();
    }

    private String take() {
        int start = 0;
        while (spacesToDrop > 0 && start < piece.length()) {
            if (piece.charAt(start) == ' ') {
                start++;
                spacesToDrop--;
            } else {
                spacesToDrop = 0;
            }
        }
        String text = piece.substring(start);
        piece.setLength(0);
        return text;
    }
}
