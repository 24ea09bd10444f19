@NullMarked
package dev.tandem.core;

import org.jspecify.annotations.NullMarked;
