using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>
/// DoRA (arXiv 2402.09353; peft <c>tuners/lora/dora.py</c>): the adapted weight is m · (W + ΔW) / ‖W + ΔW‖, row by row, with the length m of each row trained
/// beside ΔW's factors. The norm counts as a constant in backward (§4.3).
/// </summary>
public sealed class DoraPair : LoraPair
{
    internal DoraPair(PairParts parts, TrainableTensor magnitude)
        : base(parts) => Magnitude = magnitude;

    /// <summary>m, float32 [out].</summary>
    public override TrainableTensor Magnitude { get; }

    /// <summary>m at the start: ‖W‖ by rows, [out], since ΔW begins at zero.</summary>
    internal static Tensor InitialMagnitude(Projection site) => RowNorms(site.Weight.Frozen.to_type(ScalarType.Float32));

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Projection site)
    {
        using var scope = NewDisposeScope();
        Tensor frozen = site.Base(x);
        Tensor input = BranchInput(x);
        Tensor plain = DropsOut ? site.Product(input) : WithoutBias(frozen, site); // W x, [..., out]
        Tensor scale = Magnitude.Live.div(Norms(site)); // m / ‖W + ΔW‖, [out]
        // what it adds to W x + b: (scale − 1) · W x + scale · ΔW x; nothing at all at the start, where scale is exactly 1
        Tensor added = scale.sub(Scalars.One).mul(plain).Plus(scale.mul(Update(input)));
        return frozen.Plus(WithBias(Undropped(added, input, x)).to_type(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor MergedWeight(Projection site)
    {
        using var scope = NewDisposeScope();
        Tensor sum = base.MergedWeight(site); // W + ΔW, [out, in]
        return Magnitude.Value.div(RowNorms(sum)).unsqueeze(1).mul(sum).MoveToOuterDisposeScope();
    }

    private static Tensor WithoutBias(Tensor frozen, Projection site)
    {
        Tensor wide = frozen.to_type(ScalarType.Float32);
        return site.Bias is null ? wide : wide.sub(site.Bias.Value.to_type(ScalarType.Float32));
    }

    /// <summary>‖W + ΔW‖ by rows as the factors are now, [out], outside the graph.</summary>
    private Tensor Norms(Projection site)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor sum = site.Weight.Frozen.to_type(ScalarType.Float32).add(Delta(A.Live, B.Live), Scale);
        return RowNorms(sum).MoveToOuterDisposeScope();
    }

    private static Tensor RowNorms(Tensor weight) => weight.Squared().sum(1).sqrt();
}
