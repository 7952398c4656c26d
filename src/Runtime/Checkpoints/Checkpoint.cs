using System.Text.Json;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// A model folder in Hugging Face layout: config.json beside model.safetensors, or beside several files listed in model.safetensors.index.json.
/// Opening checks every header; no tensor is read before it is asked for.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    /// <summary>The weights of a model in one file.</summary>
    public const string SingleFile = "model.safetensors";

    /// <summary>The list of a model in several files.</summary>
    public const string IndexFile = "model.safetensors.index.json";

    private static readonly string[] PickleExtensions = [".bin", ".pt", ".pth", ".ckpt", ".pkl"];

    private readonly List<SafetensorsFile> files = [];
    private readonly Dictionary<string, SafetensorsFile> home = new(StringComparer.Ordinal);

    private Checkpoint(string folder, ModelConfig config) => (Folder, Config) = (folder, config);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Its config.json.</summary>
    public ModelConfig Config { get; }

    /// <summary>The names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => home.Keys;

    /// <summary>Opens a folder. Throws FPO4001 where something is missing, FPO4002 where a file is damaged, FPO4003 where there are pickle files only.</summary>
    public static Checkpoint Open(string folder)
    {
        Checkpoint checkpoint = new(folder, ModelConfig.Open(folder));
        try
        {
            checkpoint.OpenFiles();
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>What the header says about a tensor; null where there is none of that name.</summary>
    public SafetensorsEntry? Find(string name) => home.GetValueOrDefault(name)?.Entries[name];

    /// <summary>The file a tensor lies in.</summary>
    public string FileOf(string name) => HomeOf(name).Path;

    /// <summary>Reads tensors, in the order of their names; they belong to the caller. Throws FPO4004 for a name the checkpoint does not have.</summary>
    public Tensor[] Read(IReadOnlyList<string> names, Device device, ScalarType dtype)
    {
        using TensorStream stream = new(device, dtype);
        return Read(names, stream, _ => dtype);
    }

    /// <summary>Reads tensors through a stream that is used again, each in a format of its own.</summary>
    internal Tensor[] Read(IReadOnlyList<string> names, TensorStream stream, Func<SafetensorsEntry, ScalarType> format)
    {
        using var scope = NewDisposeScope();
        Tensor[] tensors = [.. names.Select(name => stream.Add(HomeOf(name), name, format(HomeOf(name).Entry(name))))];
        stream.Run();
        return [.. tensors.Select(tensor => tensor.MoveToOuterDisposeScope())];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafetensorsFile file in files)
            file.Dispose();
    }

    private void OpenFiles()
    {
        string single = Path.Combine(Folder, SingleFile), index = Path.Combine(Folder, IndexFile);
        if (File.Exists(single))
            foreach (string name in OpenFile(single).Entries.Keys)
                home[name] = files[^1];
        else if (File.Exists(index))
            OpenShards(index);
        else
            throw NoWeights();
    }

    private SafetensorsFile OpenFile(string path)
    {
        files.Add(SafetensorsFile.Open(path));
        return files[^1];
    }

    private void OpenShards(string index)
    {
        Dictionary<string, SafetensorsFile> shards = new(StringComparer.Ordinal);
        foreach ((string tensor, string shard) in ReadIndex(index))
        {
            if (!shards.TryGetValue(shard, out SafetensorsFile? file))
                shards[shard] = file = OpenShard(index, tensor, shard);
            if (!file.Entries.ContainsKey(tensor))
                throw new RecipeException("FPO4002", $"{index} says that tensor '{tensor}' is in {shard}, which does not have it");
            home[tensor] = file;
        }
    }

    private SafetensorsFile OpenShard(string index, string tensor, string shard)
    {
        if (shard.Length == 0 || Path.GetFileName(shard) != shard)
            throw new RecipeException("FPO4002", $"{index}: tensor '{tensor}' is said to be in '{shard}'; expected the name of a file in the same folder");
        string path = Path.Combine(Folder, shard);
        return File.Exists(path)
            ? OpenFile(path)
            : throw new RecipeException("FPO4001", $"{index} names {shard} (for tensor '{tensor}'), which is missing; download the whole model again");
    }

    private static Dictionary<string, string> ReadIndex(string index)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(index));
            return document.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(
                pair => pair.Name, pair => pair.Value.GetString() ?? "", StringComparer.Ordinal);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new RecipeException("FPO4002", $"{index} is not a list of tensors ({error.Message}); expected {{\"weight_map\": {{tensor: file}}}}", error);
        }
    }

    private RecipeException NoWeights()
    {
        string[] present = [.. Directory.EnumerateFiles(Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        string[] pickles = [.. present.Where(file => PickleExtensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))];
        if (pickles.Length > 0)
            return new RecipeException("FPO4003", $"'{Folder}' holds its weights in {string.Join(", ", pickles)} only: a pickle file can run any program when it is opened, so it is refused. "
                + $"Convert it once in Python: AutoModel….from_pretrained(folder).save_pretrained(folder, safe_serialization=True), which writes {SingleFile}");
        return new RecipeException("FPO4001", $"'{Folder}' has neither {SingleFile} nor {IndexFile}; it has {(present.Length == 0 ? "nothing" : string.Join(", ", present))}");
    }

    private SafetensorsFile HomeOf(string name) =>
        home.TryGetValue(name, out SafetensorsFile? file) ? file : throw new RecipeException("FPO4004", $"'{Folder}' has no tensor '{name}'");
}
