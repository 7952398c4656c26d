using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Optimization;

/// <summary>AdamW (arXiv 1711.05101), as torch.optim.AdamW computes it, over the whole arena at once.</summary>
public sealed class AdamW : BaseOptimizer
{
    private readonly Tensor mean;
    private readonly Tensor meanOfSquares;
    private readonly Tensor steps;

    /// <summary>An AdamW with PyTorch's defaults.</summary>
    public AdamW(Arena arena)
        : base(arena) => (mean, meanOfSquares, steps) = (Buffer(arena.Count), Buffer(arena.Count), Buffer());

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
        Ops.FusedAdamW(Arena.Values, Arena.Gradient, mean, meanOfSquares, steps, CurrentLearningRate, (Beta1, Beta2, WeightDecay, Epsilon));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        mean.Dispose();
        meanOfSquares.Dispose();
        steps.Dispose();
        base.Dispose();
    }
}
