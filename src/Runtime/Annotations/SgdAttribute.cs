using FlatPO.Recipes.Optimization;

namespace FlatPO.Recipes;

/// <summary>Stochastic gradient descent with momentum, as PyTorch's SGD computes it.</summary>
[RealizedBy(typeof(Sgd))]
[OptimizerState(1)]
public sealed class SgdAttribute : OptimizerAttribute
{
    /// <summary>μ: the velocity is μ · velocity + gradient.</summary>
    [Bounds("FPO2005", Minimum = 0, Below = 1), PerRun, Default(0.0)]
    public double Momentum { get; set; }

    /// <summary>λ: adds λ · weight to the gradient (coupled, as PyTorch's SGD does).</summary>
    [Bounds("FPO2004", Minimum = 0), PerRun, Default(0.0)]
    public double WeightDecay { get; set; }
}
