using System.Reflection;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests;

/// <summary>The golden cases: what Hugging Face's own libraries compute. FLATPO_GOLDEN names another folder of the same layout (other sizes, other seeds).</summary>
internal static class Golden
{
    internal const string Category = "Golden";

    internal static string Folder { get; } = Environment.GetEnvironmentVariable("FLATPO_GOLDEN") is { Length: > 0 } requested
        ? requested
        : Path.GetFullPath(typeof(Golden).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(entry => entry.Key == "GoldenFolder").Value!);

    internal static string Backbone(string name) => Path.Combine(Folder, "backbones", name);

    internal static string Adapter(string name) => Path.Combine(Folder, "adapters", name);

    internal static string Trace(string name) => Path.Combine(Folder, "traces", name);

    /// <summary>The cases of one kind ("traces", "adapters", "backbones"): all there are, or those of the given names.</summary>
    internal static TheoryData<string> Cases(string kind, params string[] names) =>
        [.. names.Length > 0 ? names.AsEnumerable() : Directory.GetDirectories(Path.Combine(Folder, kind)).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    /// <summary>The inputs and outputs beside a case's checkpoint.</summary>
    internal static SafetensorsFile Case(string folder) => SafetensorsFile.Open(Path.Combine(folder, "case.safetensors"));

    /// <summary>The largest absolute difference of two tensors of one shape.</summary>
    internal static double LargestDifference(Tensor actual, Tensor expected)
    {
        Assert.Equal(expected.shape, actual.shape);
        using var scope = NewDisposeScope();
        return actual.to_type(ScalarType.Float64).sub(expected.to_type(ScalarType.Float64)).abs().max().item<double>();
    }
}
