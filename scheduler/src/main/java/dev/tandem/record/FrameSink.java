package dev.tandem.record;

/// Where finished frames go. One thread calls.
interface FrameSink {
    /// Takes over a copy of one frame that lacks only its CRC.
    ///
    /// @return false when it can't be taken, now or ever: the recording has a gap and must end
    boolean offer(byte[] bytes, int count);

    /// Takes over a copy of the last frame, to be written after all others; then the sink closes itself. Does not wait.
    void finish(byte[] bytes, int count);

    /// Waits, within bounds, until the sink has closed itself.
    void awaitClosed();
}
