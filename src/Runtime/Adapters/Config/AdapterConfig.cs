using System.Text.Json;
using System.Text.Json.Nodes;

namespace FlatPO.Recipes.Adapters;

/// <summary>adapter_config.json as peft writes it.</summary>
public sealed class AdapterConfig
{
    /// <summary>The file's name in every adapter folder.</summary>
    public const string FileName = "adapter_config.json";

    private readonly JsonObject root;

    private AdapterConfig(string path, JsonObject root) => (Path, this.root) = (path, root);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary><c>peft_type</c>.</summary>
    public string PeftType => Text("peft_type") ?? throw Invalid("peft_type", "a method's name, for example LORA");

    /// <summary><c>peft_version</c>, the peft that wrote the file; null where it does not say.</summary>
    public string? PeftVersion => Text("peft_version");

    /// <summary>The names of all entries, in the file's order.</summary>
    public IEnumerable<string> Keys => root.Select(entry => entry.Key);

    /// <summary>Reads <c>adapter_config.json</c> in <paramref name="folder"/>. Throws FPO4001 if it is missing, FPO4011 if it is no JSON object.</summary>
    public static AdapterConfig Read(string folder)
    {
        string path = System.IO.Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new RecipeException("FPO4001", $"{path} does not exist; an adapter folder holds adapter_config.json and adapter_model.safetensors");
        try
        {
            return new AdapterConfig(path, JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw new JsonException("it is not an object"));
        }
        catch (JsonException error)
        {
            throw new RecipeException("FPO4011", $"{path} is not valid: {error.Message}", error);
        }
    }

    /// <summary>A text entry; null if missing or null.</summary>
    public string? Text(string key) => Entry(key, "a text", node => node.GetValue<string>());

    /// <summary>A number; <paramref name="fallback"/> if missing or null.</summary>
    public double Number(string key, double fallback) => EntryValue(key, "a number", node => node.GetValue<double>()) ?? fallback;

    /// <summary>A boolean; false if missing or null.</summary>
    public bool Flag(string key) => EntryValue(key, "true or false", node => node.GetValue<bool>()) ?? false;

    /// <summary>A list of texts, or one text as a list of one; empty if missing or null.</summary>
    public IReadOnlyList<string> Texts(string key) =>
        Entry(key, "a text or a list of texts", node => node is JsonArray list ? list.Select(item => item!.GetValue<string>()).ToArray() : [node.GetValue<string>()]) ?? [];

    /// <summary>A list of whole numbers, or one as a list of one; empty if missing or null.</summary>
    public IReadOnlyList<int> Integers(string key) =>
        Entry(key, "a whole number or a list of them", node => node is JsonArray list ? list.Select(item => item!.GetValue<int>()).ToArray() : [node.GetValue<int>()]) ?? [];

    /// <summary>An object of numbers, in its order; empty if missing or null.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Numbers(string key) =>
        Entry(key, "an object of numbers", node => node.AsObject().Select(entry => KeyValuePair.Create(entry.Key, entry.Value!.GetValue<double>())).ToArray()) ?? [];

    /// <summary>Whether the entry is there and not null.</summary>
    public bool Has(string key) => root[key] is not null;

    /// <summary>Whether the entry is a text rather than a list or another value.</summary>
    public bool IsText(string key) => root[key] is JsonValue value && value.TryGetValue(out string? _);

    /// <summary>Whether the entry is a list rather than one value.</summary>
    public bool IsList(string key) => root[key] is JsonArray;

    /// <summary>Whether the entry says anything: it is there and neither null, false nor empty.</summary>
    public bool IsUsed(string key) => root[key] switch
    {
        null or JsonObject { Count: 0 } or JsonArray { Count: 0 } => false,
        JsonValue value when value.TryGetValue(out bool flag) => flag,
        _ => true,
    };

    /// <summary>A copy of an entry as it stands in the file.</summary>
    internal JsonNode Copy(string key) => root[key]!.DeepClone();

    /// <summary>The error for an entry that cannot be used.</summary>
    public RecipeException Invalid(string key, string allowed) =>
        new("FPO4011", $"{Path}: {key} is {root[key]?.ToJsonString() ?? "missing"}; expected {allowed}");

    private T? Entry<T>(string key, string allowed, Func<JsonNode, T> convert)
        where T : class
    {
        try
        {
            return root[key] is { } node ? convert(node) : null;
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException or NullReferenceException)
        {
            throw Invalid(key, allowed);
        }
    }

    private T? EntryValue<T>(string key, string allowed, Func<JsonNode, T> convert)
        where T : struct => Entry<object>(key, allowed, node => convert(node)) is T value ? value : null;
}
