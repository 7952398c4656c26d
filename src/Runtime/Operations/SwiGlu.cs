using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// silu(gate) · up with the low-rank branches of both, over gate and up side by side [T, 2 · wide], and its backward with the branches of what reads the result: the fused form
/// never writes the branches' outputs, nor the result a second time.
/// </summary>
internal sealed class SwiGlu(LowRankBranch? inner, LowRankBranch? outer)
{
    /// <summary>[T, wide] of the products gate and up, [T, 2 · wide], to which the branches are added in place, and what the branches pass between their factors.</summary>
    internal Tensor Forward(Tensor products, Tensor? hidden)
    {
        using var scope = NewDisposeScope();
        if (inner is not null)
            inner.AddTo(products, hidden!);
        Tensor[] parts = products.chunk(2, 1);
        return functional.silu(parts[0]).mul_(parts[1]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// From the gradient of the result [T, wide], still without that of the branch that reads it, which comes by <paramref name="outerHidden"/>: the gradient of gate and up
    /// [T, 2 · wide], of each inner B and of the outer A, float32.
    /// </summary>
    internal (Tensor OfProducts, Tensor[] OfB, Tensor[] OfA) Backward(Tensor products, Tensor? hidden, Tensor gradient, Tensor? outerHidden)
    {
        using var scope = NewDisposeScope();
        Tensor[] parts = products.chunk(2, 1), ofA = [];
        Tensor gate = parts[0], up = parts[1], open = functional.silu(gate);
        if (outer is not null)
        {
            outer.AddToInput(gradient, outerHidden!);
            ofA = outer.GradientsOfA(outerHidden!, open.mul(up));
        }
        Tensor sigmoid = gate.sigmoid();
        Tensor slope = sigmoid.mul(gate.mul(sigmoid.neg().add(Scalars.One)).add(Scalars.One)); // d silu / d gate
        Tensor ofProducts = cat([gradient.mul(up).mul_(slope), gradient.mul(open)], 1);
        Tensor[] ofB = inner is null ? [] : inner.GradientsOfB(ofProducts, hidden!);
        foreach (Tensor result in (Tensor[])[ofProducts, .. ofB, .. ofA])
            result.MoveToOuterDisposeScope();
        return (ofProducts, ofB, ofA);
    }
}
