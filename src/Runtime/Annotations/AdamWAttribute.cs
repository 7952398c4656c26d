using FlatPO.Recipes.Optimization;

namespace FlatPO.Recipes;

/// <summary>AdamW with decoupled weight decay (Loshchilov and Hutter, 2019), PyTorch's defaults.</summary>
[RealizedBy(typeof(AdamW))]
[OptimizerState(2)]
public sealed class AdamWAttribute : OptimizerAttribute
{
    /// <summary>λ: every step shrinks each weight by learning rate · λ.</summary>
    [Bounds("FPO2004", Minimum = 0), PerRun, Default(0.01)]
    public double WeightDecay { get; set; } = 0.01;

    /// <summary>β₁, decay of the mean of gradients.</summary>
    [Bounds("FPO2005", Minimum = 0, Below = 1), PerRun, Default(0.9)]
    public double Beta1 { get; set; } = 0.9;

    /// <summary>β₂, decay of the mean of squared gradients.</summary>
    [Bounds("FPO2005", Minimum = 0, Below = 1), PerRun, Default(0.999)]
    public double Beta2 { get; set; } = 0.999;

    /// <summary>ε, added to the root of the mean of squares.</summary>
    [Bounds("FPO2006", Above = 0), PerRun, Default(1e-8)]
    public double Epsilon { get; set; } = 1e-8;
}
