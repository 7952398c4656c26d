using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// Writes a model folder as transformers' <c>save_pretrained</c> does: its weights in one file, or in several with an index (<c>huggingface_hub</c>,
/// <c>split_state_dict_into_shards_factory</c>). Each file is replaced whole or left as it was, and what a loader opens first comes last.
/// </summary>
public static partial class CheckpointWriter
{
    /// <summary>5 GB, as transformers counts them.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    /// <summary>
    /// Writes <paramref name="tensors"/>, in their order, into files of at most <paramref name="maxShardBytes"/> bytes of numbers (a larger tensor fills one alone), and
    /// <paramref name="others"/> beside them. What an older export left in the folder goes once everything is there. Throws FPO4016 for a limit below 1.
    /// </summary>
    public static void Write(string folder, IReadOnlyList<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, byte[]> others, long maxShardBytes = DefaultShardBytes)
    {
        List<Dictionary<string, Tensor>> shards = Split(tensors, maxShardBytes);
        bool single = shards.Count == 1;
        string[] names = single ? [Checkpoint.SingleFile] : [.. Enumerable.Range(1, shards.Count).Select(number => ShardName(number, shards.Count))];
        if (!single)
            WriteAll();
        foreach ((string name, byte[] content) in others)
            WriteBytes(name, content);
        if (single)
            WriteAll();
        else
            WriteBytes(Checkpoint.IndexFile, Index(shards, names));
        RemoveStale(folder, single ? names : [.. names, Checkpoint.IndexFile]);

        void WriteAll()
        {
            foreach ((string name, Dictionary<string, Tensor> shard) in names.Zip(shards))
                SafetensorsWriter.Write(Path.Combine(folder, name), shard);
        }

        void WriteBytes(string name, byte[] content) => AtomicFile.Write(Path.Combine(folder, name), file => file.Write(content));
    }

    private static List<Dictionary<string, Tensor>> Split(IReadOnlyList<KeyValuePair<string, Tensor>> tensors, long maxShardBytes)
    {
        if (maxShardBytes < 1)
            throw new RecipeException("FPO4016", $"a shard of at most {maxShardBytes} bytes holds nothing; allowed is at least 1");
        List<Dictionary<string, Tensor>> shards = [[]];
        long filled = 0;
        foreach ((string name, Tensor tensor) in tensors)
        {
            long bytes = Bytes(tensor);
            if (filled + bytes > maxShardBytes && shards[^1].Count > 0)
            {
                shards.Add([]);
                filled = 0;
            }
            shards[^1].Add(name, tensor);
            filled += bytes;
        }
        return shards;
    }

    private static byte[] Index(List<Dictionary<string, Tensor>> shards, string[] names) => JsonSerializer.SerializeToUtf8Bytes(
        new
        {
            metadata = new { total_size = shards.Sum(shard => shard.Values.Sum(Bytes)) },
            weight_map = names.Zip(shards).SelectMany(pair => pair.Second.Keys.Select(tensor => (Tensor: tensor, File: pair.First)))
                .OrderBy(pair => pair.Tensor, StringComparer.Ordinal).ToDictionary(pair => pair.Tensor, pair => pair.File),
        },
        Readable);

    private static void RemoveStale(string folder, string[] written)
    {
        foreach (string path in Directory.EnumerateFiles(folder).ToArray())
            if (Path.GetFileName(path) is var name && IsWeights(name) && !written.Contains(name))
                File.Delete(path);
    }

    private static bool IsWeights(string name) => name is Checkpoint.SingleFile or Checkpoint.IndexFile || Shard().IsMatch(name);

    private static long Bytes(Tensor tensor) => tensor.numel() * tensor.element_size();

    private static string ShardName(int number, int count) => string.Create(CultureInfo.InvariantCulture, $"model-{number:d5}-of-{count:d5}.safetensors");

    [GeneratedRegex(@"^model-\d{5}-of-\d{5}\.safetensors$")]
    private static partial Regex Shard();

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };
}
