package dev.tandem.template;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.util.Locale;

/// `datetime.strftime` of a local time without a zone, with English names (the C locale).
final class Strftime {
    private Strftime() {}

    static String format(Budget budget, String format, LocalDateTime time) {
        TextBuilder out = budget.text();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            boolean unpadded = directive == '-' && i + 1 < format.length();
            if (unpadded) { // glibc: no leading zeros
                directive = format.charAt(++i);
            }
            String field = field(directive, time);
            if (unpadded) {
                field = field.replaceFirst("^[0 ]+(?=.)", "");
            }
            out.append(field);
        }
        return out.toString();
    }

    private static String field(char directive, LocalDateTime time) {
        return switch (directive) {
            case 'a' -> time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.US);
            case 'A' -> time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.US);
            case 'b', 'h' -> pattern("MMM", time);
            case 'B' -> pattern("MMMM", time);
            case 'c' ->
                    pattern("EEE MMM ", time)
                            + spaced(time.getDayOfMonth())
                            + pattern(" HH:mm:ss yyyy", time);
            case 'C' -> two(time.getYear() / 100);
            case 'd' -> two(time.getDayOfMonth());
            case 'D', 'x' -> pattern("MM/dd/yy", time);
            case 'e' -> spaced(time.getDayOfMonth());
            case 'f' -> "%06d".formatted(time.getNano() / 1000);
            case 'F' -> pattern("yyyy-MM-dd", time);
            case 'G' -> "%04d".formatted(time.get(java.time.temporal.IsoFields.WEEK_BASED_YEAR));
            case 'H' -> two(time.getHour());
            case 'I' -> two((time.getHour() + 11) % 12 + 1);
            case 'j' -> "%03d".formatted(time.getDayOfYear());
            case 'k' -> spaced(time.getHour());
            case 'l' -> spaced((time.getHour() + 11) % 12 + 1);
            case 'm' -> two(time.getMonthValue());
            case 'M' -> two(time.getMinute());
            case 'n' -> "\n";
            case 'p' -> time.getHour() < 12 ? "AM" : "PM";
            case 'P' -> time.getHour() < 12 ? "am" : "pm";
            case 'r' -> pattern("hh:mm:ss ", time) + (time.getHour() < 12 ? "AM" : "PM");
            case 'R' -> pattern("HH:mm", time);
            case 'S' -> two(time.getSecond());
            case 't' -> "\t";
            case 'T', 'X' -> pattern("HH:mm:ss", time);
            case 'u' -> Integer.toString(time.getDayOfWeek().getValue());
            case 'U' -> two((time.getDayOfYear() + 6 - time.getDayOfWeek().getValue() % 7) / 7);
            case 'V' -> two(time.get(java.time.temporal.IsoFields.WEEK_OF_WEEK_BASED_YEAR));
            case 'w' -> Integer.toString(time.getDayOfWeek().getValue() % 7);
            case 'W' ->
                    two((time.getDayOfYear() + 6 - (time.get(ChronoField.DAY_OF_WEEK) - 1)) / 7);
            case 'y' -> two(Math.floorMod(time.getYear(), 100));
            case 'Y' -> Integer.toString(time.getYear());
            case 'z', 'Z' -> "";
            case '%' -> "%";
            default -> "%" + directive;
        };
    }

    private static String pattern(String pattern, LocalDateTime time) {
        return DateTimeFormatter.ofPattern(pattern, Locale.US).format(time);
    }

    private static String two(int number) {
        return "%02d".formatted(number);
    }

    private static String spaced(int number) {
        return "%2d".formatted(number);
    }
}
