using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.Vera;

/// <summary>The two trained vectors of one site: ΔW = (λ_b ∘ B) (λ_d ∘ A), row by row, with A and B cut from the pair that all sites share.</summary>
public sealed class VeraVectors : AdapterLayer
{
    private readonly double dropout;
    private (Tensor A, Tensor B)? pair;

    internal VeraVectors(TrainableTensor lambdaB, TrainableTensor lambdaD, double dropout)
    {
        (LambdaB, LambdaD, this.dropout, Tensors) = (lambdaB, lambdaD, dropout, [lambdaB, lambdaD]);
        lambdaD.WaitsFor = lambdaB; // which begins at zero
    }

    /// <summary>λ_b, which scales the output of B, float32 [out].</summary>
    public TrainableTensor LambdaB { get; }

    /// <summary>λ_d, which scales the output of A, float32 [rank].</summary>
    public TrainableTensor LambdaD { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    private (Tensor A, Tensor B) Pair => pair ?? throw new InvalidOperationException($"{LambdaB.Name} is used before its placement is complete");

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Projection site)
    {
        using var scope = NewDisposeScope();
        Tensor frozen = site.Base(x);
        Tensor input = x.to_type(ScalarType.Float32); // bfloat16 would round the perturbation away
        Tensor dropped = Training && dropout > 0 ? functional.dropout(input, dropout) : input;
        Tensor narrow = functional.linear(dropped, A(site)).mul(LambdaD.Live); // [..., rank]
        Tensor update = functional.linear(narrow, B(site)).mul(LambdaB.Live); // [..., out]
        return frozen.Plus(update.to_type(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor MergedWeight(Projection site)
    {
        using var scope = NewDisposeScope();
        Tensor update = B(site).mul(LambdaB.Value.unsqueeze(1)).mm(A(site).mul(LambdaD.Value.unsqueeze(1)));
        return site.Weight.Frozen.to_type(ScalarType.Float32).Plus(update).MoveToOuterDisposeScope();
    }

    /// <summary>Gives the layer the pair of its placement: A [rank, largest in], B [largest out, rank].</summary>
    internal void Share(Tensor a, Tensor b) => pair = (a, b);

    /// <summary>The part of A for a site of its input's width, [rank, in] (peft <c>tuners/vera/layer.py</c>, <c>sliced_A</c>).</summary>
    private Tensor A(Projection site) => Pair.A.narrow(1, 0, site.In);

    /// <summary>The part of B for a site of its output's width, [out, rank].</summary>
    private Tensor B(Projection site) => Pair.B.narrow(0, 0, site.Out);
}
