using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Root-mean-square norm over the last dimension (transformers <c>modeling_llama.py</c>, <c>LlamaRMSNorm</c>); the operator computes in float32 inside.</summary>
internal sealed class RmsNorm(WeightTable weights, string path, long width, double epsilon) : Norm(weights.Norm(path, width, NormParts.Weight), epsilon)
{
    /// <inheritdoc/>
    protected override NormOperation Fused(Tensor? weight, Tensor? bias) => NormOperation.Rms(weight!, Epsilon);

    /// <inheritdoc/>
    protected override Tensor Composed(Tensor x, Tensor? weight, Tensor? bias)
    {
        if (weight!.dtype == x.dtype)
            return Ops.RmsNorm(x, weight, Epsilon);
        using var scope = NewDisposeScope();
        return Ops.RmsNorm(x.to_type(weight.dtype), weight, Epsilon).to_type(x.dtype).MoveToOuterDisposeScope(); // a norm trained in float32
    }
}
