using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Ia3;

/// <summary>The trained vector l of one site: y = l ∘ (W x + b), or y = W (l ∘ x) + b at a feed-forward site.</summary>
public sealed class Ia3Vector : AdapterLayer
{
    internal Ia3Vector(TrainableTensor vector, bool scalesInput) => (Vector, ScalesInput, Tensors) = (vector, scalesInput, [vector]);

    /// <summary>l, float32 [out, 1], or [1, in] where it scales the input.</summary>
    public TrainableTensor Vector { get; }

    /// <summary>Whether it scales the input: at feed-forward sites.</summary>
    public bool ScalesInput { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Projection site)
    {
        using var scope = NewDisposeScope();
        return (ScalesInput ? site.Base(Scaled(x)) : Scaled(site.Base(x))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor MergedWeight(Projection site)
    {
        using var scope = NewDisposeScope();
        return site.Weight.Frozen.to_type(ScalarType.Float32).mul(Vector.Value).MoveToOuterDisposeScope(); // [out, in] by columns or rows
    }

    /// <inheritdoc/>
    public override Tensor? MergedBias(Projection site)
    {
        if (ScalesInput || site.Bias is null)
            return base.MergedBias(site);
        using var scope = NewDisposeScope();
        return site.Bias.Frozen.to_type(ScalarType.Float32).mul(Vector.Value.view(-1)).MoveToOuterDisposeScope();
    }

    /// <summary>l ∘ x in float32, then in x's number format, as peft.</summary>
    private Tensor Scaled(Tensor x) => x.to_type(ScalarType.Float32).mul(Vector.Live.view(-1)).to_type(x.dtype);
}
