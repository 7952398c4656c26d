using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Optimization;

/// <summary>Stochastic gradient descent with momentum, as torch.optim.SGD computes it (dampening 0, not Nesterov).</summary>
public sealed class Sgd : BaseOptimizer
{
    private readonly Tensor velocity;

    /// <summary>Plain SGD.</summary>
    public Sgd(Arena arena)
        : base(arena) => velocity = Buffer(arena.Count);

    /// <inheritdoc cref="SgdAttribute.Momentum"/>
    public double Momentum { get; init; }

    /// <inheritdoc cref="SgdAttribute.WeightDecay"/>
    public double WeightDecay { get; init; }

    /// <inheritdoc/>
    protected override void Move()
    {
        Tensor gradient = WeightDecay == 0 ? Arena.Gradient : Arena.Gradient.add(Arena.Values, alpha: Scalars.Of(WeightDecay));
        velocity.mul_(Scalars.Of(Momentum)).add_(gradient, Scalars.One); // the velocity starts at 0, so the first step is the gradient itself
        Arena.Values.sub_(velocity.mul(LearningRates));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        velocity.Dispose();
        base.Dispose();
    }
}
