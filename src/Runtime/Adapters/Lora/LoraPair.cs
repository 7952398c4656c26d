using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>The two factors of one low-rank update, ΔW = (α / r) · B A.</summary>
public sealed class LoraPair : AdapterLayer
{
    private readonly LoraMethod method;

    internal LoraPair(TrainableTensor a, TrainableTensor b, LoraMethod method)
    {
        (A, B, this.method) = (a, b, method);
        Tensors = [a, b];
    }

    /// <summary>A, float32 [rank, in].</summary>
    public TrainableTensor A { get; }

    /// <summary>B, float32 [out, rank].</summary>
    public TrainableTensor B { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Projection site)
    {
        using var scope = NewDisposeScope();
        Tensor frozen = site.Base(x); // before the branch, as peft: backward then sums in the same order
        Tensor input = x.to_type(ScalarType.Float32); // the branch keeps float32: bfloat16 would round the perturbation away
        if (Training && method.Dropout > 0)
            input = functional.dropout(input, method.Dropout);
        Tensor update = functional.linear(functional.linear(input, A.Live), B.Live); // [..., rank] → [..., out]
        return frozen.Plus(update.mul(method.Scale).to_type(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor WeightDelta()
    {
        using var scope = NewDisposeScope();
        return B.Value.mm(A.Value).mul(method.Scale).MoveToOuterDisposeScope();
    }
}
