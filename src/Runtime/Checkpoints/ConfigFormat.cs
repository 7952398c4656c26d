using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>The number format that config.json says the weights have: <c>dtype</c>, or <c>torch_dtype</c> up to transformers 4.55, of the model and of its towers.</summary>
internal static class ConfigFormat
{
    private const string OldKey = "torch_dtype";

    private const string Quantization = "quantization_config";

    private static readonly string[] Keys = ["dtype", OldKey];

    // As transformers writes it: two blanks, letters of every language as they are.
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// config.json with the format the weights are written in, in whichever spelling it has, by the older name, which every transformers reads, where it has none. A file
    /// that says so already stays byte for byte.
    /// </summary>
    internal static byte[] Say(ScalarType dtype, byte[] config)
    {
        JsonObject root = JsonNode.Parse(config)!.AsObject();
        string name = dtype.ToString().ToLowerInvariant(); // Float32 is float32 to PyTorch, BFloat16 bfloat16
        bool changed = root.Remove(Quantization); // what is written is not
        if (!Keys.Any(root.ContainsKey))
            root[OldKey] = null;
        foreach (JsonObject part in root.Select(entry => entry.Value).OfType<JsonObject>().Prepend(root).ToArray())
            foreach (string key in Keys.Where(key => part.ContainsKey(key) && !JsonNode.DeepEquals(part[key], name)))
            {
                part[key] = name;
                changed = true;
            }
        return changed ? JsonSerializer.SerializeToUtf8Bytes(root, Readable) : config;
    }
}
