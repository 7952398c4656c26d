using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A frozen table of vectors, looked up by number.</summary>
public sealed class EmbeddingSite(string module, Weight weight, ScalarType dtype) : Site(module, weight.Name[..weight.Name.LastIndexOf('.')], Sites.Embedding)
{
    /// <summary>[count, width].</summary>
    public Weight Weight { get; } = weight;

    /// <summary>How many vectors.</summary>
    public override long In => Weight.Shape[0];

    /// <summary>Width of a vector.</summary>
    public override long Out => Weight.Shape[1];

    /// <summary>The adapter that sits here, if any.</summary>
    public EmbeddingAdapter? Adapter => Occupant as EmbeddingAdapter;

    internal override IReadOnlyList<(string Part, Weight Weight)> Parts => PartsOf(Weight, null);

    /// <summary>ids [...] to [..., width] in the backbone's number format, through the adapter where there is one.</summary>
    public Tensor Forward(Tensor ids) => Adapter is null ? Base(ids) : Adapter.Forward(ids, this);

    /// <summary>The table without its adapter.</summary>
    public Tensor Base(Tensor ids)
    {
        using var scope = NewDisposeScope();
        return Ops.Embedding(Weight.Value, ids).to_type(dtype).MoveToOuterDisposeScope();
    }
}
