using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Layer norm over the last dimension, with what <paramref name="site"/> has of weight and bias.</summary>
internal sealed class LayerNorm(NormSite site, long width, double epsilon)
{
    internal Tensor Forward(Tensor x)
    {
        Tensor? scale = site.Weight?.Value, shift = site.Bias?.Value;
        if ((scale ?? x).dtype == x.dtype && (shift ?? x).dtype == x.dtype)
            return functional.layer_norm(x, [width], scale, shift, epsilon);
        using var scope = NewDisposeScope();
        Tensor wide = x.to_type(ScalarType.Float32); // a norm trained in float32
        return functional.layer_norm(wide, [width], scale?.to_type(ScalarType.Float32), shift?.to_type(ScalarType.Float32), epsilon).to_type(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The norm of x + delta, where nothing else reads the sum.</summary>
    internal Tensor ForwardAfterSum(Tensor x, Tensor delta)
    {
        Tensor? scale = site.Weight?.Value, shift = site.Bias?.Value;
        return NormOperation.Takes(x, scale, shift) ? NormOperation.LayerAfterSum(x, delta, (scale, shift), epsilon) : Forward(x.Plus(delta));
    }

    /// <summary>x + delta, and its norm.</summary>
    internal (Tensor Sum, Tensor Normed) ForwardSum(Tensor x, Tensor delta)
    {
        Tensor? scale = site.Weight?.Value, shift = site.Bias?.Value;
        if (NormOperation.Takes(x, scale, shift))
            return NormOperation.LayerOfSum(x, delta, (scale, shift), epsilon);
        Tensor sum = x.Plus(delta);
        return (sum, Forward(sum));
    }
}
