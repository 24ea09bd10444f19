package dev.tandem.core;

import java.util.Arrays;

/// Generated tokens of the sequences that run on one replica, in pages of one array, so that a
/// sequence that grows allocates nothing. A page names the next one of its sequence. Not thread-safe; owned by the core.
final class TokenPages {
    /// Tokens of one cache line.
    static final int LINE_TOKENS = 16;

    static final int LINE_MASK = LINE_TOKENS - 1;

    /// Tokens of one page.
    static final int PAGE_TOKENS = 64;

    static final int NONE = -1;

    private static final int PAGE_SHIFT = 6;
    private static final int PAGE_MASK = PAGE_TOKENS - 1;

    private int[] tokens;
    private int[] next;
    private int freePage;
    private int unused;

    /// @param tokensExpected taken at once; more are found when they are needed
    TokenPages(long tokensExpected) {
        long pages = Math.clamp(tokensExpected / PAGE_TOKENS, 1, Integer.MAX_VALUE >> PAGE_SHIFT);
        this.tokens = new int[(int) pages << PAGE_SHIFT];
        this.next = new int[(int) pages];
        this.freePage = NONE;
    }

    /// Takes a page.
    ///
    /// @param before the sequence's last page, or [#NONE]
    int take(int before) {
        int page = freePage;
        if (page != NONE) {
            freePage = next[page];
        } else {
            if (unused == next.length) {
                next = Arrays.copyOf(next, unused * 2);
                tokens = Arrays.copyOf(tokens, unused * 2 << PAGE_SHIFT);
            }
            page = unused++;
        }
        next[page] = NONE;
        if (before != NONE) {
            next[before] = page;
        }
        return page;
    }

    /// Stores a line of tokens.
    ///
    /// @param start position of the line's first token in its sequence; the page is the one for it
    void putLine(int page, int start, int[] source, int from) {
        System.arraycopy(
                source, from, tokens, (page << PAGE_SHIFT) + (start & PAGE_MASK), LINE_TOKENS);
    }

    static boolean isLineStart(int position) {
        return (position & LINE_MASK) == 0;
    }

    /// Whether this position begins a page.
    static boolean isPageStart(int position) {
        return (position & PAGE_MASK) == 0;
    }

    /// Copies the tokens of the positions from `from` to `to` (exclusive) out of the pages that begin with `first`.
    void copy(int first, int from, int to, int[] target, int at) {
        int page = first;
        int position = from;
        int into = at;
        while (position < to) {
            int count = Math.min(to - position, PAGE_TOKENS - (position & PAGE_MASK));
            System.arraycopy(
                    tokens, (page << PAGE_SHIFT) + (position & PAGE_MASK), target, into, count);
            position += count;
            into += count;
            page = next[page];
        }
    }

    /// Gives back a sequence's pages.
    void release(int first, int last) {
        if (first != NONE) {
            next[last] = freePage;
            freePage = first;
        }
    }

    /// Pages in use.
    int used() {
        int free = 0;
        for (int page = freePage; page != NONE; page = next[page]) {
            free++;
        }
        return unused - free;
    }
}
