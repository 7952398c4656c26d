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
    internal static Activation Of(ModelConfig config, string key, string fallback) =>
        config.Text(key, fallback) is var name && Known.TryGetValue(name, out Func<Tensor, Tensor>? function)
            ? new Activation(name, function)
            : throw config.Invalid(key, $"one of {string.Join(", ", Known.Keys.Order(StringComparer.Ordinal))}");

    /// <summary>GELU by the error function.</summary>
    internal static Activation Gelu { get; } = new("gelu", Known["gelu"]);

    private static Tensor QuickGelu(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.mul(x.mul(Scalars.Of(1.702)).sigmoid()).MoveToOuterDisposeScope();
    }
}

/// <summary>An activation function and the name configurations give it.</summary>
internal readonly record struct Activation(string Name, Func<Tensor, Tensor> Function)
{
    /// <summary>x · sigmoid(x), of which a gate has an operation of its own.</summary>
    internal bool IsSilu => Name is "silu" or "swish";

    /// <summary>max(0, x), which a product can end with.</summary>
    internal bool IsRelu => Name is "relu";
}
