package dev.tandem.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;

import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;

/// Logging of every process: lines to standard error, libraries from WARN on, ours from `--log-level` on. In code, since
/// reading logback's XML takes a second of a process's start.
public final class LogConfiguration extends ContextAwareBase implements Configurator {
    /// Called by logback, which finds this class as a service.
    @Override
    public ExecutionStatus configure(LoggerContext context) {
        var layout = new Lines();
        layout.setContext(context);
        layout.start();
        var encoder = new LayoutWrappingEncoder<ILoggingEvent>();
        encoder.setContext(context);
        encoder.setLayout(layout);
        encoder.start();
        var appender = new ConsoleAppender<ILoggingEvent>();
        appender.setContext(context);
        appender.setName("stderr");
        appender.setTarget("System.err");
        appender.setEncoder(encoder);
        appender.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(appender);
        context.getLogger("dev.tandem")
                .setLevel(Level.toLevel(System.getProperty("tandem.logLevel", "info"), Level.INFO));
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /// `12:34:56.789 INFO  Class: message`, then the stack trace if there is one.
    private static final class Lines extends LayoutBase<ILoggingEvent> {
        private static final DateTimeFormatter TIME =
                DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());

        @Override
        public String doLayout(ILoggingEvent event) {
            String logger = event.getLoggerName();
            var line = new StringBuilder(128);
            TIME.formatTo(
                    LocalTime.ofInstant(
                            Instant.ofEpochMilli(event.getTimeStamp()), ZoneId.systemDefault()),
                    line);
            line.append(' ').append(event.getLevel());
            line.append(event.getLevel().levelStr.length() < 5 ? "  " : " ");
            line.append(logger, logger.lastIndexOf('.') + 1, logger.length());
            line.append(": ").append(event.getFormattedMessage()).append('\n');
            IThrowableProxy failure = event.getThrowableProxy();
            if (failure != null) {
                line.append(ThrowableProxyUtil.asString(failure)).append('\n');
            }
            return line.toString();
        }
    }
}
