/// Many small runs with faults, each from a seed, in search of one that breaks a promise of the core.
///
/// A [dev.tandem.sim.campaign.Scenario] is all of a run: cluster, options, requests, faults. It is drawn so that every request
/// can be served and every fault ends; then the core has no excuse. [dev.tandem.sim.campaign.FaultCampaign] runs scenarios on
/// several threads, each run on one. A failing one is shrunk by delta debugging to the few requests and faults that it takes,
/// and told with the one command that repeats it ([dev.tandem.sim.campaign.Failure]).
///
/// Who watches the watchers: [dev.tandem.sim.campaign.MutationCheck] puts known bugs into the core's sources, one at a time, and
/// counts how many of them a campaign finds.
@NullMarked
package dev.tandem.sim.campaign;

import org.jspecify.annotations.NullMarked;
