package dev.tandem.sim.campaign;

import java.util.List;

/// The bugs that the fault campaign has to find: each breaks a promise, not only a preference.
///
/// Left out are edits that change nothing that anybody could see. One is worth knowing: blocks may be given back while
/// their lease is open, since the abort goes to the receiver before any plan that uses them, on a stream that keeps its order.
public final class Mutants {
    private Mutants() {}

    public static List<Mutant> all() {
        return List.of(
                core(
                        "BlockPool",
                        "references[block] = 1;",
                        "references[block] = 2;",
                        "a block taken counts twice"),
                core(
                        "BlockPool",
                        "            forget(block);\n" + "            references",
                        "            references",
                        "a block taken keeps its old prefix"),
                core(
                        "BlockPool",
                        "if (references[block]++ == 0) {",
                        "if (references[block] == 0) {",
                        "a shared block is not counted"),
                core(
                        "BlockPool",
                        "if (--references[block] == 0) {",
                        "if (--references[block] <= 1) {",
                        "a block is free while one still holds it"),
                core(
                        "Residence",
                        "                && !sendOpen\n",
                        "",
                        "blocks are given back while they are sent"),
                core(
                        "Residence",
                        "                && !writerOpen\n",
                        "",
                        "blocks are given back while the writer writes"),
                core(
                        "Residence",
                        "                && isIdle()\n",
                        "",
                        "blocks are given back while a plan writes them"),
                core(
                        "Residence",
                        "                && nowNanos >= quarantineUntilNanos",
                        "",
                        "blocks leave quarantine at once"),
                core(
                        "HandoffDesk",
                        "                || handoff.to.replica().id() != ended.replica()\n",
                        "",
                        "anybody may end a lease"),
                core(
                        "HandoffDesk",
                        "        handoff.from.sendOpen = false;\n"
                                + "        handoff.to.writerOpen = false;\n"
                                + "        settle(handoff);\n"
                                + "        boolean failed",
                        "        handoff.from.sendOpen = false;\n"
                                + "        settle(handoff);\n"
                                + "        boolean failed",
                        "the end of a send does not end the writing"),
                core(
                        "HandoffDesk",
                        "            if (handoff.to.replica() == lost) {\n"
                                + "                handoff.to.leaseOpen = false;\n"
                                + "            }\n"
                                + "            settle(handoff);",
                        "            settle(handoff);",
                        "the loss of a receiver does not end its leases"),
                core(
                        "HandoffDesk",
                        "                handoff.from.sendOpen = false;\n"
                                + "                handoff.to.writerOpen = false;\n"
                                + "                if (",
                        "                handoff.from.sendOpen = false;\n" + "                if (",
                        "the loss of a writer does not end its writing"),
                core(
                        "HandoffDesk",
                        "        keepWhileHeld(handoff);\n"
                                + "    }\n"
                                + "\n"
                                + "    /// Ends badly",
                        "    }\n" + "\n" + "    /// Ends badly",
                        "a handoff that is over is forgotten while blocks are held"),
                core(
                        "Handoff",
                        "return committed && sequence.known() > tokens;",
                        "return sequence.known() > tokens;",
                        "a sequence joins before its KV has come"),
                core(
                        "StepPlanner",
                        "int full = Math.min(residence.planned, sequence.known()) / blockTokens;",
                        "int full = sequence.known() / blockTokens;",
                        "blocks can be found before they are computed"),
                core(
                        "StepPlanner",
                        "                || residence.stage == Residence.Stage.ARRIVING) {\n"
                                + "            return;",
                        "                || residence.sequence == null) {\n"
                                + "            return;",
                        "blocks can be found before they have come"),
                core(
                        "StepPlanner",
                        ": from.planned / blockTokens;",
                        ": Math.min(handoff.to.table().size(), from.planned / blockTokens + 1);",
                        "a block is sent before it is full"),
                core(
                        "StepPlanner",
                        "            replica.pendingEnds.clear();\n",
                        "",
                        "a sequence is ended again with each plan"),
                core(
                        "StepPlanner",
                        "if (!replica.pool().grow(table, running.planned(slot) + 1)) {",
                        "if (!replica.pool().grow(table, running.planned(slot))) {",
                        "a running sequence gets no room for its next token"),
                core(
                        "SchedulerCore",
                        "                || plan.number() != done.plan()\n",
                        "",
                        "a result counts for whichever plan is next"),
                core(
                        "StepPlan",
                        "                && Arrays.mismatch(sampleSequence, 0, count, sequences, 0,"
                                + " count) < 0",
                        "",
                        "a result may name other sequences"),
                core(
                        "Arrivals",
                        "        lifecycle.leave(attempt.from);\n" + "        to.replica()",
                        "        to.replica()",
                        "a handed over sequence stays on its prefill replica too"),
                core(
                        "SchedulerCore",
                        "        handoffs.replicaLost(lost, nowNanos);\n",
                        "",
                        "leases outlive a lost replica"),
                core(
                        "SchedulerCore",
                        "if (stage != Residence.Stage.LEAVING) {",
                        "if (stage != Residence.Stage.LEAVING && stage != Residence.Stage.ARRIVING)"
                                + " {",
                        "sequences on their way to a lost replica are forgotten"),
                core(
                        "Sequence",
                        "return known >= tokensMax ? FinishReason.LENGTH : null;",
                        "return known > tokensMax ? FinishReason.LENGTH : null;",
                        "the limit is one token late after a prefill elsewhere"),
                core(
                        "RunningBatch",
                        "return known[slot] >= lookAt[slot] ? FinishReason.LENGTH : null;",
                        "return known[slot] > lookAt[slot] ? FinishReason.LENGTH : null;",
                        "the limit is one token late"),
                core(
                        "RunningBatch",
                        " || isStop(stops[slot], token)) {\n                break;",
                        ") {\n                break;",
                        "stop tokens of running sequences are ignored"),
                core(
                        "Arrivals",
                        " && handoff.isFetch() && handoff.isCommitted()) {",
                        " && handoff.isFetch()) {",
                        "anybody may end a fetch"),
                core(
                        "Residence",
                        "                && !tierOpen\n",
                        "",
                        "blocks are given back while the tier writes them"),
                core(
                        "BlockPool",
                        "                references[block]++;\n"
                                + "                removeFree(block);\n"
                                + "                held",
                        "                held",
                        "blocks are taken while the tier reads them"),
                core(
                        "TierDesk",
                        "to.planned = (load.presentBlocks() + back) *"
                                + " replica.facts().blockTokens();",
                        "to.planned = (load.presentBlocks() + load.blocks()) *"
                                + " replica.facts().blockTokens();",
                        "a damaged prefix counts as brought back"),
                core(
                        "PrefixFetches",
                        "        to.stage = Residence.Stage.ARRIVING;\n",
                        "        to.planned = fetch.tokens;\n",
                        "a prefix is used before it has come"),
                core(
                        "Lifecycle",
                        "            leave(fetch.from);\n",
                        "",
                        "the lender of a fetch that is given up keeps its blocks"),
                core(
                        "StepPlanner",
                        "if (fetch.state() != Handoff.State.RELEASED) {",
                        "if (fetch.to != null) {",
                        "a fetch that was given up is sent"),
                core(
                        "RunningBatch",
                        "            residence.lastPlan = lastPlan;\n",
                        "",
                        "blocks are given back under plans in flight"),
                core(
                        "RunningBatch",
                        "        lookAt[slot] = 0;\n        size--;",
                        "        size--;",
                        "samples of who has left are emitted"),
                core("Sequence", "        known = to;\n", "", "a run's tokens are forgotten"),
                core(
                        "TokenPages",
                        "            page = next[page];\n",
                        "",
                        "only the first page of a run is taken back"),
                core(
                        "RunningBatch",
                        "rowEnd[slot] = Math.min(roomTokens, lastRow[slot]);",
                        "rowEnd[slot] = lastRow[slot];",
                        "running sequences outgrow their blocks"),
                core(
                        "Replica",
                        "                plan.slotsMoved(moved);\n",
                        "",
                        "results go to the slots of before"),
                core(
                        "Sequence",
                        "            if (stop == token) {\n"
                                + "                return FinishReason.STOP;\n"
                                + "            }\n",
                        "",
                        "stop tokens are ignored"),
                core(
                        "Placement",
                        "return replica.sequences() < replica.sequencesMax();",
                        "return replica.sequences() <= replica.sequencesMax();",
                        "one sequence more than fits"),
                core(
                        "Placement",
                        "hasSlot(decode) && roomFor(decode, sequence)",
                        "roomFor(decode, sequence)",
                        "a hedge needs no slot where it decodes"),
                core(
                        "Lifecycle",
                        "        requeue(sequence);\n" + "    }\n" + "\n" + "    /// Ends what",
                        "    }\n" + "\n" + "    /// Ends what",
                        "a sequence that starts over is not queued"),
                core(
                        "Lifecycle",
                        "            if (residence.started) {\n"
                                + "                replica.pendingEnds",
                        "            if (residence.preempted) {\n"
                                + "                replica.pendingEnds",
                        "a worker is not told of ends"),
                core(
                        "Lifecycle",
                        "            handoffs.giveUp(handoff);\n"
                                + "            leave(handoff.to);",
                        "            handoffs.giveUp(handoff);",
                        "a given up handoff leaves its receiver occupied"),
                core(
                        "Replica",
                        "return plansSent - plansDone < plans.length;",
                        "return plansSent - plansDone <= plans.length;",
                        "one plan more than allowed is in flight"),
                core(
                        "WaitingQueue",
                        "                delayedTokens -= sequence.known();\n"
                                + "                add(sequence, nowNanos);",
                        "                delayedTokens -= sequence.known();",
                        "a delayed sequence is not queued again"),
                new Mutant(
                        "dev/tandem/admission/FairQueue.java",
                        "        tokens -= entry.queuedTokens;\n",
                        "",
                        "tokens wait that nobody waits for"),
                new Mutant(
                        "dev/tandem/admission/FairQueue.java",
                        "            flow.aside--;\n            flow.entries.add(entry);",
                        "            flow.aside--;",
                        "a sequence that did not fit is not looked at again"),
                new Mutant(
                        "dev/tandem/admission/FairQueue.java",
                        "if (!entry.resumed && entry.latestStartNanos",
                        "if (entry.latestStartNanos",
                        "a sequence is given up that has lost its place and has tokens"),
                new Mutant(
                        "dev/tandem/batching/FixedBudget.java",
                        "stepTokensMax - step.tokens()",
                        "stepTokensMax",
                        "each chunk gets a whole step's budget"),
                new Mutant(
                        "dev/tandem/batching/LatencyBudget.java",
                        "int most = Math.min(pending, stepTokensMax - step.tokens());",
                        "int most = Math.min(pending, stepTokensMax);",
                        "a chunk does not count what the step has already"));
    }

    private static Mutant core(String type, String oldText, String newText, String description) {
        return new Mutant("dev/tandem/core/" + type + ".java", oldText, newText, description);
    }
}
