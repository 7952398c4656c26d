using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>down(f(up(x))): the plain feed-forward block of OPT, ViT, BERT and CLIP.</summary>
internal sealed class FeedForward(Projection up, Projection down, Activation activation)
{
    internal Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (activation.IsRelu && TryFused(x) is { } fused)
            return fused.MoveToOuterDisposeScope();
        return down.Forward(activation.Function(up.Forward(x))).MoveToOuterDisposeScope(); // [..., hidden] → [..., wide] → [..., hidden]
    }

    // both layers as one operation, where they are frozen and nothing sits at them
    private Tensor? TryFused(Tensor x) =>
        up.Occupant is null && down.Occupant is null && up.Frozen is { } first && down.Frozen is { } second && second.Format == x.dtype && RectifiedProduct.Fits(x, first)
            ? new RectifiedBlock(first, second).Run(x)[0]
            : null;
}

/// <summary>down(f(gate(x)) · up(x)): the gated feed-forward block (transformers <c>modeling_llama.py</c>, <c>LlamaMLP</c>).</summary>
internal sealed class GatedFeedForward(ProjectionGroup gateAndUp, Projection down, Activation activation)
{
    internal Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (activation.IsSilu && TryFused(x) is { } fused)
            return fused.MoveToOuterDisposeScope();
        Tensor[] parts = gateAndUp.Forward(x);
        return down.Forward(activation.Function(parts[0]).mul(parts[1])).MoveToOuterDisposeScope();
    }

    // all three layers as one operation, where they are frozen and carry low-rank branches at most
    private Tensor? TryFused(Tensor x)
    {
        if (gateAndUp.Joined is not { } inner || down.Frozen is not { } outer || inner.Format != x.dtype || outer.Format != x.dtype)
            return null;
        return gateAndUp.TryBranches(x.dtype, out LowRankBranch? innerBranch, out Tensor[] innerFactors) && LowRankBranches.TryOf([down], x.dtype, out LowRankBranch? outerBranch, out Tensor[] outerFactors)
            ? new GatedBlock(inner, outer, innerBranch, outerBranch).Run([x, .. innerFactors, .. outerFactors])[0]
            : null;
    }
}
