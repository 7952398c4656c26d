using System.Reflection;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests;

/// <summary>The golden cases: what Hugging Face's own libraries compute. FLATPO_GOLDEN names another folder of the same layout (other sizes, other seeds).</summary>
internal static class Golden
{
    internal const string Category = "Golden";

    private static readonly string Own = Path.GetFullPath(
        typeof(Golden).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(entry => entry.Key == "GoldenFolder").Value!);

    /// <summary>The folder of the solution.</summary>
    internal static string Repository { get; } = Path.GetFullPath(Path.Combine(Own, "..", ".."));

    internal static string Folder { get; } = Environment.GetEnvironmentVariable("FLATPO_GOLDEN") is { Length: > 0 } requested ? requested : Own;

    internal static string Backbone(string name) => Path.Combine(Folder, "backbones", name);

    /// <summary>Less usual settings of a family; always this repository's own.</summary>
    internal static string Variant(string name) => Path.Combine(Own, "variants", name);

    internal static string Adapter(string name) => Path.Combine(Folder, "adapters", name);

    /// <summary>Adapters on less usual settings of a method, on this repository's own OPT.</summary>
    internal static string AdapterVariant(string name) => Path.Combine(Own, "adapter_variants", name);

    /// <summary>The backbone of <see cref="AdapterVariant"/>.</summary>
    internal static string AdapterVariantBackbone { get; } = Path.Combine(Own, "backbones", "opt");

    internal static string Trace(string name) => Path.Combine(Folder, "traces", name);

    /// <summary>The cases of one kind ("traces", "adapters", "backbones"): all there are, or those of the given names.</summary>
    internal static TheoryData<string> Cases(string kind, params string[] names)
    {
        string folder = Path.Combine(Folder, kind);
        string[] found = Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)] : [];
        return [.. names.Length > 0 ? names : found.Length > 0 ? found : [None]];
    }

    /// <summary>Stands for the cases of a kind that the folder does not have: make_golden.py writes no traces without the authors' optimizers.</summary>
    internal const string None = "none in this folder";

    /// <summary>The inputs and outputs beside a case's checkpoint.</summary>
    internal static SafetensorsFile Case(string folder) => SafetensorsFile.Open(Path.Combine(folder, "case.safetensors"));

    /// <summary>The largest absolute difference of two tensors of one shape.</summary>
    internal static double LargestDifference(Tensor actual, Tensor expected)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.NotEqual(0, actual.numel());
        using var scope = NewDisposeScope();
        return actual.to_type(ScalarType.Float64).sub(expected.to_type(ScalarType.Float64)).abs().max().item<double>();
    }
}
