package dev.tandem.model;

/// The decoder architectures that can be run, by the name that `architectures` in config.json gives them.
public enum Architecture {
    LLAMA("LlamaForCausalLM"),
    MISTRAL("MistralForCausalLM"),
    QWEN2("Qwen2ForCausalLM"),
    QWEN3("Qwen3ForCausalLM");

    private final String className;

    Architecture(String className) {
        this.className = className;
    }

    /// Name of the class in transformers.
    public String className() {
        return className;
    }
}
