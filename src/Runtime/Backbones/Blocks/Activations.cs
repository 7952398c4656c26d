using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>The activation functions configurations name (transformers <c>activations.py</c>, <c>ACT2FN</c>).</summary>
internal static class Activations
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Known = new(StringComparer.Ordinal)
    {
        ["relu"] = x => functional.relu(x),
        ["gelu"] = x => Ops.Gelu(x, "none"),
        ["gelu_new"] = x => Ops.Gelu(x, "tanh"),
        ["gelu_fast"] = x => Ops.Gelu(x, "tanh"),
        ["gelu_pytorch_tanh"] = x => Ops.Gelu(x, "tanh"),
        ["quick_gelu"] = QuickGelu,
        ["silu"] = x => functional.silu(x),
        ["swish"] = x => functional.silu(x),
        ["tanh"] = x => x.tanh(),
    };

    /// <summary>The function a key of the configuration names.</summary>
    internal static Func<Tensor, Tensor> Of(ModelConfig config, string key, string fallback) =>
        Known.TryGetValue(config.Text(key, fallback), out Func<Tensor, Tensor>? function)
            ? function
            : throw config.Invalid(key, $"one of {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))}");

    /// <summary>The same for a gate, of which silu has an operation of its own.</summary>
    internal static GateActivation OfGate(ModelConfig config, string key, string fallback) => new(Of(config, key, fallback), config.Text(key, fallback) is "silu" or "swish");

    private static Tensor QuickGelu(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.mul(x.mul(Scalars.Of(1.702)).sigmoid()).MoveToOuterDisposeScope();
    }
}

/// <summary>A gate's activation.</summary>
internal readonly record struct GateActivation(Func<Tensor, Tensor> Function, bool IsSilu);
