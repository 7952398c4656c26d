using FlatPO.Recipes.Operations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Layer norm over the last dimension, with what <paramref name="site"/> has of weight and bias.</summary>
internal sealed class LayerNorm(NormSite site, double epsilon) : Norm(site, epsilon)
{
    /// <inheritdoc/>
    protected override NormOperation Fused(Tensor? weight, Tensor? bias) => NormOperation.Layer(weight, bias, Epsilon);

    /// <inheritdoc/>
    protected override Tensor Composed(Tensor x, Tensor? weight, Tensor? bias)
    {
        if ((weight ?? x).dtype == x.dtype && (bias ?? x).dtype == x.dtype)
            return functional.layer_norm(x, [x.size(-1)], weight, bias, Epsilon);
        using var scope = NewDisposeScope();
        Tensor wide = x.to_type(ScalarType.Float32); // a norm trained in float32
        return functional.layer_norm(wide, [x.size(-1)], weight?.to_type(ScalarType.Float32), bias?.to_type(ScalarType.Float32), Epsilon).to_type(x.dtype).MoveToOuterDisposeScope();
    }
}
