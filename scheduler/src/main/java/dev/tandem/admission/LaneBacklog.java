package dev.tandem.admission;

/// How much waits in one lane, since when, and which entry would be shed first.
final class LaneBacklog {
    final EntryHeap.Oldest oldest = new EntryHeap.Oldest();

    /// Only those that may be shed.
    final EntryHeap.Newest newest = new EntryHeap.Newest();

    long tokens;
    long shedTokens;

    void add(QueueEntry entry) {
        oldest.add(entry);
        tokens += entry.queuedTokens;
        if (!entry.resumed) {
            newest.add(entry);
            shedTokens += entry.queuedTokens;
        }
    }

    void remove(QueueEntry entry) {
        oldest.remove(entry);
        tokens -= entry.queuedTokens;
        if (!entry.resumed) {
            newest.remove(entry);
            shedTokens -= entry.queuedTokens;
        }
    }
}
