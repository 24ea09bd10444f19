package dev.tandem.model;

import com.fasterxml.jackson.databind.JsonNode;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// An opened model folder: its configuration and its tensors, memory-mapped. Reading is safe from many threads;
/// closing unmaps the files, after which no tensor may be touched.
public final class Checkpoint implements AutoCloseable {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private final Path folder;
    private final ModelConfig config;
    private final Arena arena;
    private final Map<String, SafetensorsFile> files = new TreeMap<>();
    private final Map<String, SafetensorsFile> fileOfTensor = new HashMap<>();
    private final String fingerprint;

    private Checkpoint(Path folder, Arena arena) throws ModelFormatException {
        this.folder = folder;
        this.arena = arena;
        Path configFile = folder.resolve("config.json");
        byte[] configBytes = Json.bytes(configFile);
        this.config = ModelConfigReader.read(configFile, configBytes);
        if (Files.exists(folder.resolve(SINGLE))) {
            files.put(SINGLE, SafetensorsFile.open(folder.resolve(SINGLE), arena));
        } else if (Files.exists(folder.resolve(INDEX))) {
            openShards();
        } else {
            throw new ModelFormatException(
                    folder, "has neither %s nor %s".formatted(SINGLE, INDEX));
        }
        this.fingerprint = fingerprint(configBytes);
    }

    /// Opens a folder as Hugging Face stores it: config.json beside model.safetensors, or beside shards with an index.
    ///
    /// @throws ModelFormatException what is wrong, with the file and the tensor
    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    public static Checkpoint open(Path folder) throws ModelFormatException {
        if (!Files.isDirectory(folder)) {
            throw new ModelFormatException(folder, "is not a folder with a model");
        }
        Arena arena = Arena.ofShared();
        try {
            return new Checkpoint(folder, arena);
        } catch (ModelFormatException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    public Path folder() {
        return folder;
    }

    public ModelConfig config() {
        return config;
    }

    /// SHA-256 in hex over config.json and every weight file's name, header and size. Equal fingerprints mean the same
    /// layout of the same model; the weights themselves are not read, which would take long.
    public String fingerprint() {
        return fingerprint;
    }

    /// Whether a tensor of that name is stored.
    public boolean has(String name) {
        SafetensorsFile file = files.get(SINGLE);
        return file != null ? file.has(name) : fileOfTensor.containsKey(name);
    }

    /// A stored tensor.
    ///
    /// @param shape what its shape must be
    /// @throws ModelFormatException missing, of another shape, or of a type that can't be read
    public Tensor tensor(String name, Integer... shape) throws ModelFormatException {
        SafetensorsFile file = files.get(SINGLE);
        if (file == null) {
            file = fileOfTensor.get(name);
        }
        if (file == null) {
            throw new ModelFormatException(folder.resolve(INDEX), "tensor " + name + " is missing");
        }
        return file.tensor(name, List.of(shape));
    }

    @Override
    public void close() {
        arena.close();
    }

    private void openShards() throws ModelFormatException {
        Path index = folder.resolve(INDEX);
        JsonNode map =
                Json.object(index, Json.bytes(index), "is not a JSON object").path("weight_map");
        if (!map.isObject()) {
            throw new ModelFormatException(index, "has no weight_map");
        }
        for (Map.Entry<String, JsonNode> field : map.properties()) {
            String name = field.getValue().asText("");
            if (name.isBlank() || name.contains("/") || name.contains("\\")) {
                throw new ModelFormatException(
                        index,
                        "tensor %s is in \"%s\", which is not a file name"
                                .formatted(field.getKey(), name));
            }
            SafetensorsFile file = files.get(name);
            if (file == null) {
                Path shard = folder.resolve(name);
                if (!Files.isRegularFile(shard)) {
                    throw new ModelFormatException(
                            index,
                            "tensor %s is in %s, which does not exist"
                                    .formatted(field.getKey(), name));
                }
                file = SafetensorsFile.open(shard, arena);
                files.put(name, file);
            }
            if (!file.has(field.getKey())) {
                throw new ModelFormatException(
                        file.path(),
                        "tensor %s is missing, although %s lists it"
                                .formatted(field.getKey(), INDEX));
            }
            fileOfTensor.put(field.getKey(), file);
        }
    }

    private String fingerprint(byte[] configBytes) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, configBytes.length));
        digest.update(configBytes);
        files.forEach(
                (name, file) -> {
                    digest.update(name.getBytes(StandardCharsets.UTF_8));
                    digest.update((byte) 0);
                    var sizes = ByteBuffer.allocate(2 * Long.BYTES);
                    sizes.putLong(file.header().byteSize()).putLong(file.bytes()).flip();
                    digest.update(sizes);
                    digest.update(file.header().asByteBuffer());
                });
        return HexFormat.of().formatHex(digest.digest());
    }
}
