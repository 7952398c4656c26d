using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// What a checkpoint holds in 4 bits, as transformers saves a model loaded with <c>load_in_4bit</c>: beside X.weight (codes, [n / 2, 1]) stand X.weight.absmax (scales), the tables of both codes
/// and a JSON text in bytes (bitsandbytes <c>functional.py</c>, <c>QuantState.as_dict</c>). Any other quantisation is FPO4023.
/// </summary>
internal sealed class BitsAndBytes
{
    private const string Absmax = ".absmax", NestedAbsmax = ".nested_absmax", Levels = ".quant_map", Steps = ".nested_quant_map";
    private const string State = ".quant_state.bitsandbytes__";
    private const float Tolerance = 1e-6f; // QuantState.__eq__

    private static readonly string[] Companions = [Absmax, NestedAbsmax, Levels, Steps];

    private readonly Checkpoint checkpoint;
    private readonly Dictionary<string, PackedEntry> entries;

    private BitsAndBytes(Checkpoint checkpoint)
    {
        this.checkpoint = checkpoint;
        RequireKnownMethod();
        string[] states = [.. checkpoint.Names.Where(name => name.Contains(State, StringComparison.Ordinal))];
        entries = states.ToDictionary(state => state[..state.IndexOf(State, StringComparison.Ordinal)], Entry, StringComparer.Ordinal);
    }

    /// <summary>Reads what the checkpoint says of its quantised tensors. Throws FPO4023 for one that is not NF4 in blocks of 64.</summary>
    internal static BitsAndBytes Of(Checkpoint checkpoint) => new(checkpoint);

    /// <summary>Whether anything is held in 4 bits.</summary>
    internal bool IsAny => entries.Count > 0;

    /// <summary>What is said of a tensor; null where it is not held in 4 bits.</summary>
    internal PackedEntry? Find(string name) => entries.GetValueOrDefault(name);

    /// <summary>Whether a tensor belongs to another that is held in 4 bits.</summary>
    internal bool IsPart(string name) =>
        Companions.Any(companion => name.EndsWith(companion, StringComparison.Ordinal) && entries.ContainsKey(name[..^companion.Length]))
        || (name.IndexOf(State, StringComparison.Ordinal) is >= 0 and int end && entries.ContainsKey(name[..end]));

    /// <summary>Brings a tensor to where the stream goes.</summary>
    internal Nf4Matrix Read(PackedEntry entry, TensorStream stream, NormalFloat format)
    {
        using var scope = NewDisposeScope();
        string[] names = [entry.Name, entry.Name + Absmax, .. entry.Offset is null ? [] : (IEnumerable<string>)[entry.Name + NestedAbsmax]];
        Tensor[] parts = checkpoint.Read(names, stream, stored => stored.Dtype!.Value);
        Tensor? offset = entry.Offset is { } mean ? tensor((float)mean).to(parts[0].device) : null;
        return Nf4Matrix.Of(new(parts[0], parts[1], parts.ElementAtOrDefault(2), offset), entry.Shape, format);
    }

    private void RequireKnownMethod()
    {
        ModelConfig config = checkpoint.Config;
        if (!config.Has("quantization_config"))
            return;
        string method = config.Text("quantization_config.quant_method", "bitsandbytes");
        if (method != "bitsandbytes")
            throw Refused($"{config.Path}: quantization_config.quant_method is '{method}'", "'bitsandbytes'");
        if (!config.Flag("quantization_config.load_in_4bit", false))
            throw Refused($"{config.Path}: quantization_config.load_in_4bit is not true", "4 bits");
    }

    private PackedEntry Entry(string state)
    {
        string name = state[..state.IndexOf(State, StringComparison.Ordinal)], file = checkpoint.FileOf(state);
        using var scope = NewDisposeScope();
        ModelConfig said = ModelConfig.Parse($"{file}: {state}", checkpoint.Read([state], CPU, ScalarType.Byte)[0].bytes.ToArray());
        Require("quant_type", said.Text("quant_type"), "nf4");
        Require("blocksize", said.Int("blocksize"), Nf4Matrix.Block);
        bool nested = said.Has("nested_offset");
        if (nested)
        {
            Require("nested_blocksize", said.Int("nested_blocksize"), Nf4Matrix.ScaleBlock);
            Require("nested_dtype", said.Text("nested_dtype"), "float32");
            RequireTable(Steps, NormalFloat.Steps);
        }
        RequireTable(Levels, NormalFloat.Levels);
        if (said.IntList("shape") is not [> 0 and var rows, > 0 and var columns])
            throw said.Invalid("shape", "two sizes");
        long blocks = (rows * columns + Nf4Matrix.Block - 1) / Nf4Matrix.Block;
        RequirePart("", ScalarType.Byte, (rows * columns + 1) / 2);
        RequirePart(Absmax, nested ? ScalarType.Byte : ScalarType.Float32, blocks);
        if (nested)
            RequirePart(NestedAbsmax, ScalarType.Float32, (blocks + Nf4Matrix.ScaleBlock - 1) / Nf4Matrix.ScaleBlock);
        return new PackedEntry(name, [rows, columns], nested ? said.Number("nested_offset") : null);

        void Require<T>(string key, T found, T allowed)
        {
            if (!Equals(found, allowed))
                throw Refused($"{file}: {name} has {key} {found}", $"{allowed}");
        }

        void RequirePart(string part, ScalarType format, long count)
        {
            SafetensorsEntry? found = checkpoint.Find(name + part);
            if (found?.Dtype != format || found.Shape.Aggregate(1L, (product, size) => product * size) != count)
                throw Refused($"{file}: {name}{part} is {(found is null ? "missing" : $"{found.Format}[{string.Join(", ", found.Shape)}]")}", $"{SafetensorsEntry.FormatOf(format)} with {count} numbers");
        }

        void RequireTable(string part, IReadOnlyList<float> known)
        {
            RequirePart(part, ScalarType.Float32, known.Count);
            float[] found = checkpoint.Read([name + part], CPU, ScalarType.Float32)[0].data<float>().ToArray();
            if (found.Zip(known).Any(pair => !(Math.Abs(pair.First - pair.Second) <= Tolerance)))
                throw Refused($"{file}: {name}{part} has other numbers", "bitsandbytes' own");
        }
    }

    private static RecipeException Refused(string found, string allowed) => new("FPO4023",
        $"{found}; allowed is {allowed}: quantised checkpoints are read that transformers saved with load_in_4bit in NF4, in blocks of 64. Load the unquantised model, which Precision.NF4 quantises itself");
}

/// <summary>A matrix [out, in] that a checkpoint holds in 4 bits.</summary>
/// <param name="Name">X.weight.</param>
/// <param name="Shape">[out, in].</param>
/// <param name="Offset">The mean of its scales; null where they are not quantised.</param>
internal sealed record PackedEntry(string Name, IReadOnlyList<long> Shape, double? Offset);
