using System.Text.Json;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// A model's config.json. Keys of nested objects are written with dots (<c>rope_parameters.factor</c>). A key that is missing or null takes the
/// fallback; without one it is error FPO4006, which names the file and the key.
/// </summary>
public sealed class ModelConfig
{
    /// <summary>The file's name in every Hugging Face folder.</summary>
    public const string FileName = "config.json";

    private readonly JsonElement root;
    private readonly string section;

    private ModelConfig(string path, JsonElement root, string section = "") => (Path, this.root, this.section) = (path, root, section);

    /// <summary>The file it was read from.</summary>
    public string Path { get; }

    /// <summary><c>model_type</c>.</summary>
    public string ModelType => Text("model_type");

    /// <summary>How many labels a classifier tells apart: the entries of <c>id2label</c>, else <c>num_labels</c>, else 2, as in transformers.</summary>
    public long Labels => Find("id2label") is { ValueKind: JsonValueKind.Object } labels ? labels.GetPropertyCount() : Int("num_labels", 2);

    /// <summary>The class names in <c>architectures</c>; empty where there are none.</summary>
    public IReadOnlyList<string> Architectures => TextList("architectures");

    /// <summary>Reads config.json from a Hugging Face folder.</summary>
    public static ModelConfig Open(string folder)
    {
        if (!Directory.Exists(folder))
            throw new RecipeException("FPO4001", $"there is no folder '{folder}'; expected a model in Hugging Face layout ({FileName} and model.safetensors)");
        string path = System.IO.Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new RecipeException("FPO4001", $"'{folder}' has no {FileName}; expected a model in Hugging Face layout");
        return Parse(path, File.ReadAllBytes(path));
    }

    /// <summary>Reads the configuration from JSON text; <paramref name="path"/> is what errors name.</summary>
    public static ModelConfig Parse(string path, ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new RecipeException("FPO4006", $"{path} holds a JSON {document.RootElement.ValueKind}; expected an object");
            return new ModelConfig(path, document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw new RecipeException("FPO4006", $"{path} is not valid JSON: {error.Message}", error);
        }
    }

    /// <summary>
    /// A nested object as a configuration of its own (<c>text_config</c>): its keys are read without the section's name, errors name it. Empty where it is missing,
    /// so that a key of it takes its fallback or is error FPO4006.
    /// </summary>
    public ModelConfig Section(string key) =>
        new(Path, Find(key) is { ValueKind: JsonValueKind.Object } nested ? nested : JsonDocument.Parse("{}").RootElement, $"{section}{key}.");

    /// <summary>Whether the key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether the key is there, be it null: what transformers writes for a part that is switched off, while a missing key takes its default.</summary>
    public bool Mentions(string key) => root.TryGetProperty(key, out _);

    /// <summary>A whole number.</summary>
    public long Int(string key) => Read<long>(key, "a whole number", AsInt);

    /// <summary>A whole number, or the fallback.</summary>
    public long Int(string key, long fallback) => Has(key) ? Int(key) : fallback;

    /// <summary>A whole number larger than zero: a size.</summary>
    public long Size(string key) => Int(key) is > 0 and long size ? size : throw Invalid(key, "a whole number larger than 0");

    /// <summary>A size, or the fallback.</summary>
    public long Size(string key, long fallback) => Has(key) ? Size(key) : fallback;

    /// <summary>A number.</summary>
    public double Number(string key) => Read<double>(key, "a number", value => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null);

    /// <summary>A number, or the fallback.</summary>
    public double Number(string key, double fallback) => Has(key) ? Number(key) : fallback;

    /// <summary>True or false.</summary>
    public bool Flag(string key) => Read<bool>(key, "true or false", value => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null);

    /// <summary>True or false, or the fallback.</summary>
    public bool Flag(string key, bool fallback) => Has(key) ? Flag(key) : fallback;

    /// <summary>A text.</summary>
    public string Text(string key)
    {
        JsonElement value = Find(key) ?? throw Missing(key);
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Invalid(key, "a text");
    }

    /// <summary>A text, or the fallback.</summary>
    public string Text(string key, string fallback) => Has(key) ? Text(key) : fallback;

    /// <summary>A list of texts; empty where the key is missing or null.</summary>
    public IReadOnlyList<string> TextList(string key)
    {
        if (Find(key) is not { } list)
            return [];
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw Invalid(key, "a list of texts");
        return [.. list.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>A list of whole numbers; empty where the key is missing or null.</summary>
    public IReadOnlyList<long> IntList(string key)
    {
        if (Find(key) is not { } list)
            return [];
        long?[] numbers = list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(AsInt)] : [null];
        return numbers.All(number => number is not null) ? [.. numbers.OfType<long>()] : throw Invalid(key, "a list of whole numbers");
    }

    /// <summary>One whole number as a list of one, or a list of them; empty where the key is missing or null.</summary>
    public IReadOnlyList<long> OneOrMore(string key) => Find(key) is { ValueKind: JsonValueKind.Number } ? [Int(key)] : IntList(key);

    /// <summary>One whole number for both directions, or a list of two: height and width.</summary>
    public (long Height, long Width) Extent(string key)
    {
        if (Find(key) is not { ValueKind: JsonValueKind.Array } pair)
            return (Size(key), Size(key));
        long?[] sizes = [.. pair.EnumerateArray().Select(AsInt)];
        return sizes is [long height, long width] ? (height, width) : throw Invalid(key, "a whole number or a list of two");
    }

    /// <summary>The error for a value that cannot be used.</summary>
    public RecipeException Invalid(string key, string allowed) =>
        new("FPO4006", $"{Path}: '{section}{key}' is {Find(key)?.GetRawText() ?? "missing"}; expected {allowed}");

    private RecipeException Missing(string key) => new("FPO4006", $"{Path} has no key '{section}{key}'");

    private T Read<T>(string key, string allowed, Func<JsonElement, T?> convert)
        where T : struct =>
        convert(Find(key) ?? throw Missing(key)) ?? throw Invalid(key, allowed);

    private static long? AsInt(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;

    private JsonElement? Find(string key)
    {
        JsonElement value = root;
        foreach (string part in key.Split('.'))
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(part, out value))
                return null;
        return value.ValueKind == JsonValueKind.Null ? null : value;
    }
}
