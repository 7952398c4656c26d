using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>
/// A low-rank update of a table of vectors, ΔW = s · (B A)ᵀ (peft <c>tuners/lora/layer.py</c>, class <c>Embedding</c>). Dropout does not act here, as in peft, and LoRA+
/// leaves both factors at the recipe's learning rate.
/// </summary>
public sealed class LoraEmbedding : EmbeddingAdapter
{
    private readonly LoraRemainder? remainder;

    internal LoraEmbedding(TrainableTensor a, TrainableTensor b, double scaling, LoraRemainder? remainder)
    {
        (A, B, Scaling, this.remainder) = (a, b, scaling, remainder);
        B.WaitsFor = A; // which begins at zero
    }

    /// <summary>A, float32 [rank, count]: a column a vector of the table.</summary>
    public TrainableTensor A { get; }

    /// <summary>B, float32 [width, rank].</summary>
    public TrainableTensor B { get; }

    /// <summary>s, as the table's rank and alpha make it.</summary>
    public double Scaling { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors => [A, B];

    /// <inheritdoc/>
    public override IEnumerable<FileTensor> FileTensors => remainder is null ? base.FileTensors : [remainder.FileA(A), remainder.FileB(B)];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor ids, EmbeddingSite site)
    {
        using var scope = NewDisposeScope();
        Tensor frozen = site.Base(ids);
        Tensor update = functional.linear(Ops.Embedding(A.Live.t(), ids), B.Live).mul(Scalars.Of(Scaling));
        return frozen.Plus(update.to_type(frozen.dtype)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor MergedWeight(EmbeddingSite site)
    {
        using var scope = NewDisposeScope();
        return site.Weight.Frozen.to_type(ScalarType.Float32).add(B.Value.mm(A.Value).t(), Scalars.Of(Scaling)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        remainder?.Dispose();
        base.Dispose();
    }
}
