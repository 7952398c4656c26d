using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Optimization;

/// <summary>AdamW (arXiv 1711.05101), as torch.optim.AdamW computes it, over the whole arena at once, or a learning rate at a time.</summary>
public sealed class AdamW : BaseOptimizer
{
    private readonly Tensor mean;
    private readonly Tensor meanOfSquares;
    private readonly Tensor steps;
    private readonly (double Factor, (Tensor[] Values, Tensor[] Gradients, Tensor[] Mean, Tensor[] MeanOfSquares) Views)[] groups;

    /// <summary>An AdamW with PyTorch's defaults.</summary>
    public AdamW(Arena arena)
        : base(arena)
    {
        (mean, meanOfSquares, steps) = (Buffer(arena.Count), Buffer(arena.Count), Buffer());
        groups = [.. RateGroup.Of(arena).Select(group => (group.Factor, (group.Cut(arena.Values), group.Cut(arena.Gradient), group.Cut(mean), group.Cut(meanOfSquares))))];
    }

    /// <inheritdoc cref="AdamWAttribute.WeightDecay"/>
    public double WeightDecay { get; init; } = 0.01;

    /// <inheritdoc cref="AdamWAttribute.Beta1"/>
    public double Beta1 { get; init; } = 0.9;

    /// <inheritdoc cref="AdamWAttribute.Beta2"/>
    public double Beta2 { get; init; } = 0.999;

    /// <inheritdoc cref="AdamWAttribute.Epsilon"/>
    public double Epsilon { get; init; } = 1e-8;

    /// <inheritdoc/>
    protected override void Move()
    {
        steps.add_(Scalars.One);
        foreach ((double factor, var views) in groups)
            Ops.FusedAdamW(views, steps, factor == 1 ? CurrentLearningRate : CurrentLearningRate.mul(Scalars.Of(factor)), (Beta1, Beta2, WeightDecay, Epsilon));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (Tensor view in groups.SelectMany(group => group.Views.Values.Concat(group.Views.Gradients).Concat(group.Views.Mean).Concat(group.Views.MeanOfSquares)))
            view.Dispose();
        mean.Dispose();
        meanOfSquares.Dispose();
        steps.Dispose();
        base.Dispose();
    }
}
