using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.Lora;

/// <summary>The two factors of one low-rank update, ΔW = s · B A with s = α / r (α / √r with rsLoRA).</summary>
public class LoraPair : AdapterLayer
{
    private readonly LoraRemainder? remainder;
    private readonly TrainedBias? ofSite;

    internal LoraPair(PairParts parts)
    {
        (A, B, Bias, Method, Scaling, remainder, ofSite) = (parts.A, parts.B, parts.Bias, parts.Method, parts.Scaling, parts.Remainder, parts.OfSite);
        A.WaitsFor = B; // dL/dA = s · Bᵀ (dL/dy) xᵀ, and B begins at zero
    }

    /// <summary>A, float32 [rank, in].</summary>
    public TrainableTensor A { get; }

    /// <summary>B, float32 [out, rank].</summary>
    public TrainableTensor B { get; }

    /// <summary>The bias of B, float32 [out]; null without <see cref="LoraMethod.LoraBias"/>.</summary>
    public TrainableTensor? Bias { get; }

    /// <summary>The adapted layer's own bias, float32 [out]; null where it has none or <see cref="LoraMethod.Bias"/> does not train it.</summary>
    public TrainableTensor? BaseBias => ofSite?.Trained;

    /// <summary>m, the length of each row of the adapted weight, float32 [out]; null without <see cref="LoraMethod.UseDora"/>.</summary>
    public virtual TrainableTensor? Magnitude => null;

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors => [.. new[] { A, B, Bias, Magnitude, BaseBias }.OfType<TrainableTensor>()];

    /// <inheritdoc/>
    public override IEnumerable<FileTensor> FileTensors => remainder is null
        ? base.FileTensors
        : Tensors.Select(tensor => tensor == A ? remainder.FileA(tensor) : tensor == B ? remainder.FileB(tensor) : FileTensor.Of(tensor));

    /// <inheritdoc/>
    public override LowRankUpdate? LowRank => remainder is null && ofSite is null && Bias is null && Magnitude is null && !DropsOut ? new LowRankUpdate(A, B, Scaling) : null;

    /// <summary>s, as the site's rank and alpha make it.</summary>
    public double Scaling { get; }

    internal LoraMethod Method { get; }

    private protected Scalar Scale => Scalars.Of(Scaling);

    /// <summary>Whether dropout acts on the branch now.</summary>
    private protected bool DropsOut => Training && Method.Dropout > 0;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Projection site)
    {
        using var scope = NewDisposeScope();
        Tensor frozen = site.Base(x); // before the branch, as peft: backward then sums in the same order
        Tensor input = BranchInput(x);
        return frozen.Plus(WithBias(Undropped(Update(input), input, x)).to_type(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor MergedWeight(Projection site)
    {
        using var scope = NewDisposeScope();
        return site.Weight.Frozen.to_type(ScalarType.Float32).add(Delta(A.Value, B.Value), Scale).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor? MergedBias(Projection site)
    {
        if (Bias is null && BaseBias is null)
            return base.MergedBias(site);
        if (site.Bias is null)
            throw new RecipeException("FPO1017", $"{site.Module} has no bias to merge the bias of B into; save the adapter instead, or train without LoraBias");
        using var scope = NewDisposeScope();
        Tensor own = BaseBias?.Value ?? TrainedBias.Start(site);
        return (Bias is null ? own.clone() : own.add(Bias.Value, Scale)).MoveToOuterDisposeScope();
    }

    /// <summary>What the branch sees of x: float32, since bfloat16 would round the perturbation away, with dropout.</summary>
    private protected Tensor BranchInput(Tensor x)
    {
        Tensor input = x.to_type(ScalarType.Float32);
        return DropsOut ? functional.dropout(input, Method.Dropout) : input;
    }

    /// <summary>ΔW x: s · (B A x + b), or s · (B A − B₀ A₀) x where the pair began as a part of the weight. Float32 [..., in] → [..., rank] → [..., out].</summary>
    private protected Tensor Update(Tensor input) =>
        (remainder?.Moved(input, (A.Live, B.Live)) ?? functional.linear(functional.linear(input, A.Live), B.Live, Bias?.Live)).mul(Scale);

    /// <summary>What is added to W x, where dropout acted on <paramref name="input"/>: it does not act on what W − s · B₀ A₀ lacks, as in peft.</summary>
    private protected Tensor Undropped(Tensor added, Tensor input, Tensor x) =>
        remainder is null || !DropsOut ? added : added.Plus(remainder.Branch(input.sub(x.to_type(ScalarType.Float32))).mul(Scale));

    /// <summary>What is added to the frozen output, and the change of its bias where that is trained.</summary>
    private protected Tensor WithBias(Tensor added) => ofSite is null ? added : ofSite.AddTo(added);

    /// <summary>ΔW / s: B A, less B₀ A₀ where the pair began as a part of the weight. [out, in]</summary>
    private protected Tensor Delta(Tensor a, Tensor b) => remainder?.Moved((a, b)) ?? b.mm(a);

    /// <inheritdoc/>
    public override void Dispose()
    {
        remainder?.Dispose();
        base.Dispose();
    }
}
