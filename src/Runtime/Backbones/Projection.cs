using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones;

/// <summary>A frozen linear layer y = x Wᵀ + b with W [out, in].</summary>
public sealed class Projection(string module, Sites role, Weight weight, Weight? bias) : Site(module, weight.Name[..weight.Name.LastIndexOf('.')], role)
{
    private (Tensor X, Tensor Own)? computed;

    /// <summary>W, [out, in].</summary>
    public Weight Weight { get; } = weight;

    /// <summary>b, [out], where the layer has one.</summary>
    public Weight? Bias { get; } = bias;

    /// <inheritdoc/>
    public override long In => Weight.Shape[1];

    /// <inheritdoc/>
    public override long Out => Weight.Shape[0];

    /// <summary>The adapter that sits here, if any.</summary>
    public AdapterLayer? Adapter => Occupant as AdapterLayer;

    internal override IReadOnlyList<(string Part, Weight Weight)> Parts => PartsOf(Weight, Bias);

    /// <summary>x [..., in] to [..., out], through the adapter where there is one.</summary>
    public Tensor Forward(Tensor x) => Adapter is null ? Base(x) : TryLowRank(x) ?? Adapter.Forward(x, this);

    /// <summary>The same where the layer's own output for this x has been computed.</summary>
    internal Tensor Forward(Tensor x, Tensor own)
    {
        if (Adapter is null)
            return own;
        computed = (x, own);
        try
        {
            return Adapter.Forward(x, this);
        }
        finally
        {
            computed = null;
        }
    }

    /// <summary>The layer without its adapter, in x's number format.</summary>
    public Tensor Base(Tensor x)
    {
        if (computed is { } known && ReferenceEquals(known.X, x))
            return known.Own.alias();
        if (Weight.Packed is { } packed)
            return Quantized(x, packed);
        Tensor weight = Weight.Value;
        if (weight.dtype == x.dtype && (Bias?.Trainable is null || Bias.Value.dtype == x.dtype))
            return Ops.Linear(x, weight, Bias?.Value);
        using var scope = NewDisposeScope();
        if (weight.dtype != x.dtype)
            // a head trained whole is float32 on a bfloat16 backbone: it is the input that changes, so the perturbation of the weight survives
            return functional.linear(x.to_type(weight.dtype), weight, Bias?.Value.to_type(weight.dtype)).to_type(x.dtype).MoveToOuterDisposeScope();
        return functional.linear(x, weight).add(Bias!.Value, Scalars.One).to_type(x.dtype).MoveToOuterDisposeScope(); // a bias trained in float32 alone
    }

    /// <summary>W x without the bias, in x's number format.</summary>
    internal Tensor Product(Tensor x) => Weight.Packed is { } packed ? packed.Linear(x, null) : functional.linear(x, Weight.Frozen.to_type(x.dtype));

    /// <summary>Weight and bias, where both are frozen.</summary>
    internal FrozenLinear? Frozen => Weight.Trainable is not null || Bias?.Trainable is not null ? null
        : Weight.Packed is { } packed ? new FrozenLinear([packed], Bias?.Frozen)
        : new FrozenLinear(Weight.Frozen, Bias?.Frozen);

    private Tensor Quantized(Tensor x, Nf4Matrix packed)
    {
        if (Bias is null || (Bias.Trainable is null && Bias.Value.dtype == x.dtype))
            return packed.Linear(x, Bias?.Value);
        using var scope = NewDisposeScope();
        return packed.Linear(x, null).add(Bias.Value, Scalars.One).to_type(x.dtype).MoveToOuterDisposeScope();
    }

    private Tensor? TryLowRank(Tensor x) =>
        Frozen is { } frozen && frozen.Format == x.dtype && LowRankBranches.TryOf([this], x.dtype, out LowRankBranch? branch, out Tensor[] factors) && branch is not null
            ? new AdaptedProduct(frozen, branch).Run([x, .. factors])[0]
            : null;
}
