using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>A table of vectors, looked up by number.</summary>
internal sealed class Embedding(WeightTable weights, string path, long count, long width)
{
    /// <summary>[count, width].</summary>
    internal Weight Weight { get; } = weights.Declare($"{path}.weight", count, width);

    /// <summary>ids [...] to [..., width], in the backbone's number format.</summary>
    internal Tensor Forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        return Ops.Embedding(Weight.Value, ids).to_type(weights.Dtype).MoveToOuterDisposeScope();
    }
}
