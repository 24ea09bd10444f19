package dev.tandem.transport;

import dev.tandem.kv.PoolLedger;
import dev.tandem.kv.SharedKvPool;

/// The door of a shared pool: its ledger. A writer that was stopped in the middle of a copy holds the block's cell, and
/// so the block, until it goes on or its process ends.
final class LedgerGuard implements OneSidedGuard {
    private final SharedKvPool pool;
    private final PoolLedger ledger;

    LedgerGuard(SharedKvPool pool) {
        this.pool = pool;
        this.ledger = pool.ledger();
    }

    @Override
    public void open(int block, long lease, long writer, int slot) {
        ledger.open(block, lease, writer, slot);
    }

    @Override
    public boolean close(int block, long lease, long writer, int slot) {
        if (ledger.close(block)) {
            return true;
        }
        if (pool.isEntered(writer)) {
            return false;
        }
        ledger.closeDead(block);
        return true;
    }
}
