package dev.tandem.bench.transfer;

import java.lang.foreign.MemorySegment;

/// The machine's memcpy, by one thread, block by block.
record CopyWay(Pools pools) implements Way {
    @Override
    public String name() {
        return "memcpy";
    }

    @Override
    public void move(int first, int count) {
        long bytes = pools.blockBytes();
        for (int block = first; block < first + count; block++) {
            MemorySegment.copy(
                    pools.source().memory(),
                    block * bytes,
                    pools.target().memory(),
                    block * bytes,
                    bytes);
        }
    }

    @Override
    public boolean isEqual() {
        return pools.isEqual();
    }

    @Override
    public void close() {
        pools.close();
    }
}
