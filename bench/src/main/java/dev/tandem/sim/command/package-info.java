/// `tandem simulate`: from its options to a report. The command line itself is in `dev.tandem.cli`.
@NullMarked
package dev.tandem.sim.command;

import org.jspecify.annotations.NullMarked;
