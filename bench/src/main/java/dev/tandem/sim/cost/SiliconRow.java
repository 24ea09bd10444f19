package dev.tandem.sim.cost;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// One measured run of a real server, from `silicon-e2e/silicon_e2e_given.csv`.
///
/// @param backend        `trtllm`, `vllm` or `sglang`
/// @param model          as published, such as `Qwen/Qwen3-32B`
/// @param device         such as `h100_sxm`
/// @param fp8            whether the products ran in fp8; bfloat16 otherwise
/// @param aggregated     one replica does both phases; else disaggregated
/// @param concurrency    clients; 0 where not published
/// @param tensorParallel TP degree; 0 in disaggregated rows, which have two
record SiliconRow(
        String backend,
        String model,
        String device,
        boolean fp8,
        boolean aggregated,
        int concurrency,
        int promptTokens,
        int outputTokens,
        int tensorParallel,
        double ttftMillis,
        double tpotMillis) {
    /// @return the rows in the file's order
    /// @throws IOException the file can't be read or a line has another number of cells; the message names file and line
    static List<SiliconRow> read(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        List<String> names = List.of(lines.getFirst().split(",", -1));
        List<SiliconRow> rows = new ArrayList<>();
        for (int i = 1; i < lines.size(); i++) {
            String[] cells = lines.get(i).split(",", -1);
            if (cells.length != names.size()) {
                throw new IOException(
                        file + ":" + (i + 1) + ": " + cells.length + " cells, not " + names.size());
            }
            try {
                rows.add(
                        new SiliconRow(
                                cells[names.indexOf("backend")],
                                cells[names.indexOf("model_path")],
                                cells[names.indexOf("system")],
                                cells[names.indexOf("gemm_quant_mode")].equals("fp8"),
                                cells[names.indexOf("mode")].equals("agg"),
                                integer(cells[names.indexOf("silicon_concurrency")]),
                                integer(cells[names.indexOf("isl")]),
                                integer(cells[names.indexOf("osl")]),
                                integer(cells[names.indexOf("tp_size")]),
                                Double.parseDouble(cells[names.indexOf("silicon_ttft_ms")]),
                                Double.parseDouble(cells[names.indexOf("silicon_tpot_ms")])));
            } catch (NumberFormatException e) {
                throw new IOException(
                        file + ":" + (i + 1) + ": not a number: " + e.getMessage(), e);
            }
        }
        return rows;
    }

    private static int integer(String cell) {
        return cell.isEmpty() ? 0 : Integer.parseInt(cell);
    }

    /// @return the sizes of the row's model
    ModelShape shape() {
        String name = model.substring(model.lastIndexOf('/') + 1).replace("-Instruct", "");
        return ModelShape.named(name);
    }

    /// @return the engine, model and format in which this row was measured: rows of a group share an engine's traits
    String group() {
        return backend
                + " "
                + shape().name()
                + (fp8 ? " fp8 " : " bf16 ")
                + device.substring(0, device.indexOf('_'));
    }
}
