using System.Buffers.Binary;
using System.Text.Json;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// Reads and checks the header of a safetensors file: 8 bytes of length, then JSON, then the tensors' bytes one behind the other. A file is refused
/// unless its tensors fill it exactly, without gap or overlap, so a tensor can be read later without another check.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Bytes in front of the header that hold its length.</summary>
    internal const int Prefix = 8;

    internal const string MetadataKey = "__metadata__";

    // The format's own limit; a larger number is a sign of a file that is something else.
    private const long LongestHeader = 100_000_000;

    private readonly string path;
    private readonly Dictionary<string, SafetensorsEntry> entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> metadata = new(StringComparer.Ordinal);

    private SafetensorsHeader(string path) => this.path = path;

    /// <summary>The tensors by name.</summary>
    internal IReadOnlyDictionary<string, SafetensorsEntry> Entries => entries;

    /// <summary>The free text under <c>__metadata__</c>.</summary>
    internal IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>Where the tensors' bytes begin in the file.</summary>
    internal long DataStart { get; private set; }

    /// <summary>Reads the header from a stream that stands at the file's first byte.</summary>
    internal static SafetensorsHeader Read(string path, Stream file)
    {
        SafetensorsHeader header = new(path);
        byte[] json = header.ReadJson(file);
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            header.ReadEntries(document.RootElement);
        }
        catch (JsonException error)
        {
            throw header.Malformed($"its header is not valid JSON ({error.Message}); it is not a safetensors file or is damaged", error);
        }
        header.CheckLayout(file.Length - header.DataStart);
        return header;
    }

    private byte[] ReadJson(Stream file)
    {
        if (file.Length < Prefix)
            throw Malformed($"it has {file.Length} bytes; expected at least {Prefix}, the length of the header");
        Span<byte> prefix = stackalloc byte[Prefix];
        file.ReadExactly(prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader)
            throw Malformed($"its header claims {length} bytes; allowed is at most {LongestHeader}; it is not a safetensors file or is damaged");
        DataStart = Prefix + (long)length;
        if (DataStart > file.Length)
            throw Malformed($"it is truncated: the header needs {DataStart} bytes, the file has {file.Length}");
        byte[] json = new byte[length];
        file.ReadExactly(json);
        return json;
    }

    private void ReadEntries(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Malformed($"its header is a JSON {root.ValueKind}; expected an object");
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.NameEquals(MetadataKey))
                ReadMetadata(property.Value);
            else if (!entries.TryAdd(property.Name, ReadEntry(property.Name, property.Value)))
                throw Malformed($"tensor '{property.Name}' is listed twice");
        }
    }

    private void ReadMetadata(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Malformed($"{MetadataKey} is a JSON {value.ValueKind}; expected an object");
        foreach (JsonProperty text in value.EnumerateObject())
            metadata[text.Name] = text.Value.ToString();
    }

    private SafetensorsEntry ReadEntry(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String)
            throw Malformed($"tensor '{name}' has no dtype");
        long[] shape = ReadNumbers(name, value, "shape");
        long[] offsets = ReadNumbers(name, value, "data_offsets");
        if (offsets is not [long begin, long end] || begin > end)
            throw Malformed($"tensor '{name}' has data_offsets [{string.Join(", ", offsets)}]; expected a beginning and an end");
        SafetensorsEntry entry = new(name, dtype.GetString()!, shape, begin, end);
        CheckSize(entry);
        return entry;
    }

    private long[] ReadNumbers(string name, JsonElement entry, string key)
    {
        if (!entry.TryGetProperty(key, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
            throw Malformed($"tensor '{name}' has no {key}");
        long[] numbers = new long[list.GetArrayLength()];
        for (int i = 0; i < numbers.Length; i++)
            if (list[i].ValueKind != JsonValueKind.Number || !list[i].TryGetInt64(out numbers[i]) || numbers[i] < 0)
                throw Malformed($"tensor '{name}' has {key} {list.GetRawText()}; expected whole numbers of at least 0");
        return numbers;
    }

    private void CheckSize(SafetensorsEntry entry)
    {
        int width = SafetensorsEntry.Width(entry.Format);
        if (width == 0)
            return; // nothing is known about an unknown format; reading it is an error of its own
        UInt128 expected = (UInt128)width;
        foreach (long size in entry.Shape)
            expected = expected > long.MaxValue ? expected : expected * (UInt128)size;
        if (entry.Shape.Contains(0))
            expected = 0;
        if (expected != (UInt128)(entry.End - entry.Begin))
            throw Malformed($"tensor '{entry.Name}' {entry.Format}[{string.Join(", ", entry.Shape)}] has {entry.End - entry.Begin} bytes; expected {expected}");
    }

    private void CheckLayout(long available)
    {
        long position = 0;
        foreach (SafetensorsEntry entry in entries.Values.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.Begin != position)
                throw Malformed($"the bytes of tensor '{entry.Name}' begin at {entry.Begin}; expected {position}, the end of the tensor before it");
            position = entry.End;
            if (position > available)
                throw Malformed($"it is truncated: tensor '{entry.Name}' ends at byte {DataStart + position}, the file has {DataStart + available}");
        }
        if (position != available)
            throw Malformed($"{available - position} bytes after the last tensor belong to none");
    }

    private RecipeException Malformed(string what, Exception? inner = null) => new("FPO4002", $"{path}: {what}", inner);
}
