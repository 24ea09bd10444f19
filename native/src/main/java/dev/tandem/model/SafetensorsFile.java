package dev.tandem.model;

import com.fasterxml.jackson.databind.JsonNode;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One memory-mapped `.safetensors` file: eight bytes with the header's length, a JSON header, then the tensors' bytes
/// without gap or overlap. The whole header is checked when the file is opened, so that reading a tensor can't leave
/// the file. Format: https://huggingface.co/docs/safetensors
final class SafetensorsFile {
    /// The format's own limit.
    private static final long HEADER_BYTES_MAX = 100_000_000;

    private static final ValueLayout.OfLong LENGTH =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final MemorySegment file;
    private final MemorySegment header;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private record Entry(String name, String type, List<Integer> shape, long begin, long end) {}

    private SafetensorsFile(Path path, MemorySegment file, MemorySegment header) {
        this.path = path;
        this.file = file;
        this.header = header;
    }

    /// Maps the file for the arena's life and checks its header.
    static SafetensorsFile open(Path path, Arena arena) throws ModelFormatException {
        MemorySegment file;
        try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (NoSuchFileException e) {
            throw new ModelFormatException(path, "does not exist", e);
        } catch (IOException e) {
            throw new ModelFormatException(path, "can't be read (" + e.getMessage() + ")", e);
        }
        if (file.byteSize() < Long.BYTES) {
            throw new ModelFormatException(
                    path, "has %d bytes, too short for a header".formatted(file.byteSize()));
        }
        long headerBytes = file.get(LENGTH, 0);
        if (headerBytes < 2 || headerBytes > HEADER_BYTES_MAX) {
            throw new ModelFormatException(
                    path,
                    "header length %s is not between 2 and %d"
                            .formatted(Long.toUnsignedString(headerBytes), HEADER_BYTES_MAX));
        }
        if (headerBytes > file.byteSize() - Long.BYTES) {
            throw new ModelFormatException(
                    path,
                    "is truncated: header of %d bytes in a file of %d"
                            .formatted(headerBytes, file.byteSize()));
        }
        var opened = new SafetensorsFile(path, file, file.asSlice(Long.BYTES, headerBytes));
        opened.parse();
        return opened;
    }

    Path path() {
        return path;
    }

    MemorySegment header() {
        return header;
    }

    long bytes() {
        return file.byteSize();
    }

    boolean has(String name) {
        return entries.containsKey(name);
    }

    /// The tensor of that name, which must have exactly that shape.
    Tensor tensor(String name, List<Integer> shape) throws ModelFormatException {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new ModelFormatException(path, "tensor " + name + " is missing");
        }
        if (!entry.shape().equals(shape)) {
            throw problem(name, "has shape %s, expected %s".formatted(entry.shape(), shape));
        }
        TensorType type =
                switch (entry.type()) {
                    case "F32" -> TensorType.F32;
                    case "F16" -> TensorType.F16;
                    case "BF16" -> TensorType.BF16;
                    default ->
                            throw problem(
                                    name,
                                    "has type %s; F32, F16 and BF16 can be read"
                                            .formatted(entry.type()));
                };
        long dataStart = Long.BYTES + header.byteSize();
        return new Tensor(
                name,
                type,
                shape,
                file.asSlice(dataStart + entry.begin(), entry.end() - entry.begin()));
    }

    private void parse() throws ModelFormatException {
        byte[] content = header.toArray(ValueLayout.JAVA_BYTE);
        JsonNode root = Json.object(path, content, "header is not a JSON object");
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (!field.getKey().equals("__metadata__")) {
                entries.put(field.getKey(), entry(field.getKey(), field.getValue()));
            }
        }
        long dataBytes = file.byteSize() - Long.BYTES - header.byteSize();
        var sorted = new ArrayList<>(entries.values());
        sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long end = 0;
        for (Entry entry : sorted) {
            if (entry.end() > dataBytes) {
                throw problem(
                        entry.name(),
                        "lies at bytes %d..%d, but the file has only %d bytes of data (truncated?)"
                                .formatted(entry.begin(), entry.end(), dataBytes));
            }
            if (entry.begin() < end) {
                throw problem(entry.name(), "overlaps the tensor before it");
            }
            if (entry.begin() > end) {
                throw problem(
                        entry.name(),
                        "starts at byte %d, %d bytes after the tensor before it"
                                .formatted(entry.begin(), entry.begin() - end));
            }
            end = entry.end();
        }
        if (end != dataBytes) {
            throw new ModelFormatException(
                    path, "has %d bytes of data, its tensors only %d".formatted(dataBytes, end));
        }
    }

    private Entry entry(String name, JsonNode node) throws ModelFormatException {
        JsonNode offsets = node.path("data_offsets");
        JsonNode shape = node.path("shape");
        if (!node.path("dtype").isTextual()
                || !shape.isArray()
                || offsets.size() != 2
                || !isCount(offsets.path(0))
                || !isCount(offsets.path(1))) {
            throw problem(name, "needs dtype, shape and two data_offsets, has " + node);
        }
        String type = node.path("dtype").textValue();
        long begin = offsets.get(0).longValue();
        long end = offsets.get(1).longValue();
        var sizes = new ArrayList<Integer>(shape.size());
        long elements = 1;
        for (JsonNode size : shape) {
            if (!isCount(size) || size.longValue() > Integer.MAX_VALUE) {
                throw problem(name, "has a bad shape " + shape);
            }
            sizes.add(size.intValue());
            try {
                elements = Math.multiplyExact(elements, size.longValue());
            } catch (ArithmeticException e) {
                throw problem(name, "has an absurd shape " + shape);
            }
        }
        long bits = elementBits(type);
        if (end < begin) {
            throw problem(name, "ends at byte %d before it starts at %d".formatted(end, begin));
        }
        if (bits > 0
                && (elements > Long.MAX_VALUE / bits || elements * bits != (end - begin) * 8)) {
            throw problem(
                    name,
                    "of shape %s and type %s has %d bytes".formatted(shape, type, end - begin));
        }
        return new Entry(name, type, sizes, begin, end);
    }

    private static boolean isCount(JsonNode node) {
        return node.isIntegralNumber()
                && node.canConvertToLong()
                && node.longValue() >= 0
                && node.longValue() <= Long.MAX_VALUE / 16;
    }

    /// Bits of one element, 0 for a type that this reader has not heard of: such a tensor may stand in the file as
    /// long as nobody asks for it.
    private static long elementBits(String type) {
        return switch (type) {
            case "F64", "I64", "U64" -> 64;
            case "F32", "I32", "U32" -> 32;
            case "F16", "BF16", "I16", "U16" -> 16;
            case "F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL" -> 8;
            default -> 0;
        };
    }

    private ModelFormatException problem(String tensor, String problem) {
        return new ModelFormatException(path, "tensor " + tensor + " " + problem);
    }
}
