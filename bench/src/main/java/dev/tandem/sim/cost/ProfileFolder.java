package dev.tandem.sim.cost;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/// The measured operation times of one device, as NVIDIA's aiconfigurator publishes them (vLLM's kernels; gzip CSV, milliseconds),
/// read in place: `FOLDER/<device>/{gemm,attention,comm}/vllm/<version>/*.csv.gz`.
final class ProfileFolder {
    private static final double NANOS_PER_MILLI = 1e6;

    private final Path device;

    /// @param root   the folder `aiconfigurator` of the profiles
    /// @param device such as `h100_sxm`
    /// @throws IOException there is no such folder
    ProfileFolder(Path root, String device) throws IOException {
        this.device = root.resolve(device);
        if (!Files.isDirectory(this.device)) {
            throw new IOException(
                    "no measured profiles at "
                            + this.device
                            + "; name the folder that holds h100_sxm, h200_sxm and a100_sxm");
        }
    }

    /// Matrix products `[m, k] x [k, n]`.
    ///
    /// @param type `bfloat16` or `fp8`
    /// @return nanoseconds by `m`, then over `n` and `k`
    TreeMap<Integer, TreeMap<Integer, TreeMap<Integer, Double>>> products(String type)
            throws IOException {
        TreeMap<Integer, TreeMap<Integer, TreeMap<Integer, Double>>> byRows = new TreeMap<>();
        read(
                file("gemm", "gemm_perf"),
                List.of("gemm_dtype", "m", "n", "k", "latency"),
                row -> {
                    if (row[0].equals(type)) {
                        byRows.computeIfAbsent(Integer.valueOf(row[1]), m -> new TreeMap<>())
                                .computeIfAbsent(Integer.valueOf(row[2]), n -> new TreeMap<>())
                                .put(
                                        Integer.valueOf(row[3]),
                                        Double.parseDouble(row[4]) * NANOS_PER_MILLI);
                    }
                });
        return notEmpty(byRows, "products of " + type);
    }

    /// Causal attention over whole prompts.
    ///
    /// @param heads   query heads on the device
    /// @param kvHeads KV heads on the device
    /// @param kvType  `bfloat16` or `fp8`
    /// @return nanoseconds by prompts, then tokens of each
    TreeMap<Integer, TreeMap<Integer, Double>> contextAttention(
            int heads, int kvHeads, int headDim, String kvType) throws IOException {
        return attention("context_attention_perf", heads, kvHeads, headDim, kvType, 0);
    }

    /// Attention of one new token of each sequence.
    ///
    /// @return nanoseconds by sequences, then tokens of context of each, the new one included; empty where not measured
    TreeMap<Integer, TreeMap<Integer, Double>> decodeAttention(
            int heads, int kvHeads, int headDim, String kvType) throws IOException {
        return attention("generation_attention_perf", heads, kvHeads, headDim, kvType, 1);
    }

    private TreeMap<Integer, TreeMap<Integer, Double>> attention(
            String name, int heads, int kvHeads, int headDim, String kvType, int steps)
            throws IOException {
        TreeMap<Integer, TreeMap<Integer, Double>> byRows = new TreeMap<>();
        String[] wanted = {
            Integer.toString(heads),
            Integer.toString(kvHeads),
            Integer.toString(headDim),
            kvType,
            "0"
        };
        List<String> columns =
                List.of(
                        "num_heads",
                        "num_key_value_heads",
                        "head_dim",
                        "kv_cache_dtype",
                        "window_size?",
                        "batch_size",
                        "isl",
                        "step",
                        "latency");
        read(
                file("attention", name),
                columns,
                row -> {
                    if (Arrays.equals(row, 0, wanted.length, wanted, 0, wanted.length)) {
                        int tokens = Integer.parseInt(row[6]) + steps * Integer.parseInt(row[7]);
                        byRows.computeIfAbsent(Integer.valueOf(row[5]), rows -> new TreeMap<>())
                                .put(tokens, Double.parseDouble(row[8]) * NANOS_PER_MILLI);
                    }
                });
        return byRows;
    }

    /// All-reduce inside a CUDA graph, as vLLM runs it.
    ///
    /// @return nanoseconds by bytes of the message; the second size is always 1
    TreeMap<Integer, TreeMap<Integer, Double>> allReduce(int devices) throws IOException {
        TreeMap<Integer, TreeMap<Integer, Double>> byBytes = new TreeMap<>();
        String wanted = Integer.toString(devices);
        read(
                file("comm", "custom_allreduce_perf"),
                List.of("num_gpus", "backend", "message_size", "latency"),
                row -> {
                    if (row[0].equals(wanted) && row[1].equals("vllm_graph")) {
                        byBytes.computeIfAbsent(Integer.valueOf(row[2]), bytes -> new TreeMap<>())
                                .put(1, Double.parseDouble(row[3]) * NANOS_PER_MILLI);
                    }
                });
        return notEmpty(byBytes, "all-reduce over " + devices + " devices");
    }

    private <M extends TreeMap<?, ?>> M notEmpty(M map, String what) throws IOException {
        if (map.isEmpty()) {
            throw new IOException(device + ": no measured " + what);
        }
        return map;
    }

    private Path file(String group, String name) throws IOException {
        Path versions = device.resolve(group).resolve("vllm");
        try (Stream<Path> all = Files.list(versions)) {
            Path newest =
                    all.max(Path::compareTo)
                            .orElseThrow(() -> new IOException(versions + " is empty"));
            return newest.resolve(name + ".csv.gz");
        }
    }

    private interface RowReader {
        void row(String[] values);
    }

    /// Gives the named columns of every line; one that ends in `?` may be lacking and then reads `0`.
    private static void read(Path file, List<String> columns, RowReader reader) throws IOException {
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                new GZIPInputStream(Files.newInputStream(file), 1 << 16),
                                StandardCharsets.UTF_8))) {
            String header = lines.readLine();
            if (header == null) {
                throw new IOException(file + " is empty");
            }
            List<String> names = List.of(header.split(","));
            int[] index = new int[columns.size()];
            for (int i = 0; i < index.length; i++) {
                String column = columns.get(i);
                boolean optional = column.endsWith("?");
                index[i] =
                        names.indexOf(optional ? column.substring(0, column.length() - 1) : column);
                if (index[i] < 0 && !optional) {
                    throw new IOException(file + " has no column '" + column + "'");
                }
            }
            String[] values = new String[index.length];
            int number = 1;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                String[] cells = line.split(",", -1);
                if (cells.length != names.size()) {
                    throw new IOException(
                            file
                                    + ":"
                                    + number
                                    + ": "
                                    + cells.length
                                    + " cells, not "
                                    + names.size());
                }
                for (int i = 0; i < index.length; i++) {
                    values[i] = index[i] < 0 ? "0" : cells[index[i]];
                }
                try {
                    reader.row(values);
                } catch (NumberFormatException e) {
                    throw new IOException(
                            file + ":" + number + ": not a number: " + e.getMessage(), e);
                }
            }
        }
    }
}
