/// Model folders: configuration and weights as Hugging Face stores them.
@NullMarked
package dev.tandem.model;

import org.jspecify.annotations.NullMarked;
