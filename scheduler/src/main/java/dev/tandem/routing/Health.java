package dev.tandem.routing;

/// What is remembered of one worker name.
public final class Health {
    private final String name;

    Health(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }
}
