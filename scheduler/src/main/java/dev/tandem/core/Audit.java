package dev.tandem.core;

import java.util.ArrayList;
import java.util.List;

/// Compares what the core keeps twice, and counts every block's holders. Slow, and not part of any decision.
final class Audit {
    private final List<String> problems = new ArrayList<>();

    private Audit() {}

    static List<String> of(
            Replica[] all, WaitingQueue waiting, Lifecycle lifecycle, HandoffDesk handoffs) {
        Audit audit = new Audit();
        boolean anyLeaving = false;
        for (Replica replica : all) {
            audit.blocks(replica);
            audit.lists(replica);
            anyLeaving |= replica.isReleasing();
        }
        audit.check(
                lifecycle.size() >= waiting.size(),
                "%d sequences live, %d wait",
                lifecycle.size(),
                waiting.size());
        if (lifecycle.size() == 0) {
            audit.check(waiting.tokens() == 0, "%d tokens wait of nobody", waiting.tokens());
            audit.check(handoffs.open() == 0, "%d handoffs of nobody", handoffs.open());
            audit.check(
                    anyLeaving || handoffs.ending() == 0,
                    "%d handoffs never end, of blocks that are back",
                    handoffs.ending());
        }
        return audit.problems;
    }

    private void blocks(Replica replica) {
        BlockPool pool = replica.pool();
        int[] holders = new int[pool.blocks()];
        for (Residence.Stage stage : Residence.Stage.values()) {
            for (Residence residence : replica.residents(stage)) {
                count(residence.table(), holders);
            }
        }
        for (int block = 0; block < holders.length; block++) {
            check(
                    holders[block] == pool.references(block),
                    "%s: block %d has %d holders and %d references",
                    replica.name(),
                    block,
                    holders[block],
                    pool.references(block));
        }
    }

    private static void count(BlockTable table, int[] holders) {
        for (int i = 0; i < table.size(); i++) {
            holders[table.get(i)]++;
        }
    }

    private void lists(Replica replica) {
        int staged = 0;
        int preempted = 0;
        for (Residence.Stage stage : Residence.Stage.values()) {
            if (stage == Residence.Stage.LEAVING) {
                continue;
            }
            for (Residence residence : replica.residents(stage)) {
                check(
                        residence.stage == stage && residence.sequence != null,
                        "%s: sequence %d is %s in the list of %s",
                        replica.name(),
                        residence.sequenceId(),
                        residence.stage,
                        stage);
                staged += stage == Residence.Stage.ARRIVING ? residence.table().size() : 0;
                preempted += residence.preempted ? 1 : 0;
            }
        }
        check(
                !replica.running.isEmpty() || replica.running.pagesInUse() == 0,
                "%s: %d pages of tokens of nobody",
                replica.name(),
                replica.running.pagesInUse());
        check(
                staged == replica.stagedBlocks,
                "%s: %d staged blocks, counted as %d",
                replica.name(),
                staged,
                replica.stagedBlocks);
        check(
                preempted == replica.preempted,
                "%s: %d preempted, counted as %d",
                replica.name(),
                preempted,
                replica.preempted);
    }

    private void check(boolean holds, String problem, Object... arguments) {
        if (!holds) {
            problems.add(problem.formatted(arguments));
        }
    }
}
