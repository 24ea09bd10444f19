package dev.tandem.cli;

import org.jspecify.annotations.Nullable;

/// The commands of `tandem`, in the order in which the help lists them.
enum Command {
    SERVE("serve", "Starts a coordinator and its workers on this host.", null),
    COORDINATOR("coordinator", "Starts a coordinator: the OpenAI front and the scheduler.", null),
    PREFILL_WORKER("prefill-worker", "Starts a worker that computes prompts.", null),
    DECODE_WORKER("decode-worker", "Starts a worker that generates.", null),
    LOAD("load", "Puts load on an OpenAI-compatible endpoint and measures it.", null),
    SIMULATE("simulate", "Runs the scheduler on simulated workers in virtual time.", null),
    REPLAY("replay", "Re-runs a flight recording and compares the decisions.", "FILE"),
    TEMPLATE("template", "Renders a chat template: JSON lines in, JSON lines out.", "FILE|DIR"),
    VERSION("version", "Prints the version.", null),
    HELP("help", "Explains a command.", "COMMAND");

    private final String word;
    private final String description;
    private final @Nullable String argument;

    Command(String word, String description, @Nullable String argument) {
        this.word = word;
        this.description = description;
        this.argument = argument;
    }

    /// How it is typed.
    String word() {
        return word;
    }

    String description() {
        return description;
    }

    /// Label of the one argument that is not a flag, or null when it takes none.
    @Nullable String argument() {
        return argument;
    }

    static @Nullable Command ofWord(String word) {
        for (Command command : values()) {
            if (command.word.equals(word)) {
                return command;
            }
        }
        return null;
    }
}
