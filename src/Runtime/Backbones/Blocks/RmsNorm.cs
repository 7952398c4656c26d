using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Root-mean-square norm over the last dimension (transformers <c>modeling_llama.py</c>, <c>LlamaRMSNorm</c>); the operator computes in float32 inside.</summary>
internal sealed class RmsNorm(WeightTable weights, string path, long width, double epsilon)
{
    private readonly NormSite site = weights.Norm(path, width, NormParts.Weight);

    internal Tensor Forward(Tensor x)
    {
        Tensor scale = site.Weight!.Value;
        if (NormOperation.Takes(x, scale))
            return NormOperation.Rms(x, scale, epsilon);
        if (scale.dtype == x.dtype)
            return Ops.RmsNorm(x, scale, epsilon);
        using var scope = NewDisposeScope();
        return Ops.RmsNorm(x.to_type(scale.dtype), scale, epsilon).to_type(x.dtype).MoveToOuterDisposeScope(); // a norm trained in float32
    }

    /// <summary>x + delta, and its norm.</summary>
    internal (Tensor Sum, Tensor Normed) ForwardSum(Tensor x, Tensor delta)
    {
        Tensor scale = site.Weight!.Value;
        if (NormOperation.Takes(x, scale))
            return NormOperation.RmsOfSum(x, delta, scale, epsilon);
        Tensor sum = x.Plus(delta);
        return (sum, Forward(sum));
    }
}
