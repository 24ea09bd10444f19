/// Chat templates: from the messages of a request to the prompt of a model.
///
/// A model folder brings its prompt format as a Jinja template, written for and tested with Python's jinja2 in the
/// environment of Hugging Face transformers. A prompt that differs by one character makes a model answer worse without
/// any error, so this package is a Jinja engine whose only measure is equality with Python, byte for byte; the recorded
/// renderings in the tests' `chat-templates` folder hold it to that.
///
/// - [dev.tandem.template.ChatTemplate] is a compiled template. `Lexer` (white space control, raw text) makes tokens,
///   `Parser` and `ExpressionParser` make a tree of `Statement` and `Expression`, once per model.
/// - A rendering walks the tree: `Interpreter` runs statements, `Evaluator` works out expressions, `Scope` holds names.
///   `Values`, `PyOps`, `PyNumbers`, `PyText` and `PyRepr` say what Python's values do; `StringMethods`, `Filters`,
///   `SequenceFilters` and `Tests` are what templates call on them.
/// - [dev.tandem.template.ChatRenderer] adapts a request of the OpenAI API to what templates expect and renders it; the
///   API front has one per model. [dev.tandem.template.TemplateLines] is the engine of `tandem template`.
///
/// Templates and requests are not trusted. Templates see no Java object and change nothing but their own namespaces.
/// A rendering has a `Budget` from [dev.tandem.template.TemplateLimits]; whatever can multiply sizes asks it before the
/// memory is taken, and all that loops charges it. Every failure is a [dev.tandem.template.TemplateException], whose kind
/// tells the template author's own refusal from a fault. Compiled templates are immutable and safe from any thread; all
/// else lives for one rendering on one thread.
///
/// Accepted beyond Python: `{% do %}`. Refused although Jinja has them: templates of several files (`include`, `import`,
/// `extends`, `block`), and filters without use for prompts (`urlize`, `xmlattr`, `random` and their like).
@NullMarked
package dev.tandem.template;

import org.jspecify.annotations.NullMarked;
