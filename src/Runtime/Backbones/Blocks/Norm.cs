using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>A norm over the last dimension, of x or of x + delta, with what <paramref name="site"/> has of weight and bias.</summary>
internal abstract class Norm(NormSite site, double epsilon)
{
    /// <summary>What is added to the mean under the root.</summary>
    protected double Epsilon { get; } = epsilon;

    /// <summary>The norm of the sum, where nothing else reads that.</summary>
    internal Tensor Forward(Tensor x, Tensor? delta = null)
    {
        (Tensor? weight, Tensor? bias) = (site.Weight?.Value, site.Bias?.Value);
        return NormOperation.Takes(x, weight, bias) ? Fused(weight, bias).Of(x, delta) : Composed(delta is null ? x : x.Plus(delta), weight, bias);
    }

    /// <summary>The sum, a tensor of its own, and its norm.</summary>
    internal (Tensor Sum, Tensor Normed) ForwardSum(Tensor x, Tensor? delta)
    {
        (Tensor? weight, Tensor? bias) = (site.Weight?.Value, site.Bias?.Value);
        if (NormOperation.Takes(x, weight, bias))
            return Fused(weight, bias).OfSum(x, delta);
        Tensor sum = delta is null ? x.alias() : x.Plus(delta);
        return (sum, Composed(sum, weight, bias));
    }

    /// <summary>The operation, for what <see cref="NormOperation.Takes"/>.</summary>
    protected abstract NormOperation Fused(Tensor? weight, Tensor? bias);

    /// <summary>The same for autograd: a weight or bias that is trained, or in another format than x.</summary>
    protected abstract Tensor Composed(Tensor x, Tensor? weight, Tensor? bias);
}
