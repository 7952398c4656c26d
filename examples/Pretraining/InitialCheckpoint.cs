using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Vit;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Examples.Pretraining;

/// <summary>A checkpoint of random numbers, as transformers initialises a vision transformer (<c>modeling_vit.py</c>, <c>_init_weights</c>).</summary>
internal static class InitialCheckpoint
{
    /// <summary>Writes the model that <paramref name="source"/>'s config.json describes into <paramref name="target"/>.</summary>
    internal static void Write(string source, string target, ulong seed)
    {
        Directory.CreateDirectory(target);
        File.Copy(Path.Combine(source, ModelConfig.FileName), Path.Combine(target, ModelConfig.FileName), overwrite: true);
        using WeightTable table = new(ModelConfig.Open(target), Devices.Cpu, ScalarType.Float32);
        using ViTForImageClassification declared = new(table); // declares names and shapes; no numbers yet
        using var scope = NewDisposeScope();
        using Generator random = new(seed, CPU);
        double deviation = table.Config.Number("initializer_range", 0.02);
        SafetensorsWriter.Write(
            Path.Combine(target, Checkpoint.SingleFile),
            declared.Weights.All.ToDictionary(weight => weight.Name, weight => Numbers(weight, deviation, random)));
    }

    // transformers truncates the normal distribution at ±2, a hundred deviations away: no number is ever cut.
    private static Tensor Numbers(Weight weight, double deviation, Generator random)
    {
        long[] shape = [.. weight.Shape];
        return weight.Name.EndsWith(".bias", StringComparison.Ordinal) ? zeros(shape)
            : weight.Name.Contains("layernorm", StringComparison.Ordinal) ? ones(shape)
            : randn(shape, float32, generator: random).mul(deviation);
    }
}
