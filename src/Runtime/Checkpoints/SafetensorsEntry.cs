using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>What a safetensors header says about one tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Format">Its number format as the file spells it: <c>BF16</c>.</param>
/// <param name="Shape">Its sizes; empty for a scalar.</param>
/// <param name="Begin">Where its bytes begin, counted from the end of the header.</param>
/// <param name="End">Where they end.</param>
public sealed record SafetensorsEntry(string Name, string Format, IReadOnlyList<long> Shape, long Begin, long End)
{
    private static readonly Dictionary<string, ScalarType> Formats = new(StringComparer.Ordinal)
    {
        ["F64"] = ScalarType.Float64,
        ["F32"] = ScalarType.Float32,
        ["F16"] = ScalarType.Float16,
        ["BF16"] = ScalarType.BFloat16,
        ["I64"] = ScalarType.Int64,
        ["I32"] = ScalarType.Int32,
        ["I16"] = ScalarType.Int16,
        ["I8"] = ScalarType.Int8,
        ["U8"] = ScalarType.Byte,
        ["BOOL"] = ScalarType.Bool,
    };

    /// <summary>The Formats that can be read and written.</summary>
    public static IReadOnlyCollection<string> KnownFormats => Formats.Keys;

    /// <summary>The format as a tensor's; null where this library cannot read it (an 8-bit float, say).</summary>
    public ScalarType? Dtype => Formats.TryGetValue(Format, out ScalarType dtype) ? dtype : null;

    /// <summary>How the file spells a number format; null where it has no name.</summary>
    internal static string? FormatOf(ScalarType dtype) => Formats.FirstOrDefault(pair => pair.Value == dtype).Key;

    /// <summary>Bytes of one number; 0 for a format this library does not know.</summary>
    internal static int Width(string format) => format switch
    {
        "F64" or "I64" or "U64" => 8,
        "F32" or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" => 1,
        _ => 0,
    };
}
