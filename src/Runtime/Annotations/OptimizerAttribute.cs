namespace FlatPO.Recipes;

/// <summary>What base optimizers share. An optimizer is an attribute derived from this one and named <c>RealizedBy</c> its runtime class.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public abstract class OptimizerAttribute : Attribute
{
    /// <summary>The learning rate the schedule scales.</summary>
    [Bounds("FPO2003", Minimum = 0), PerRun, Default(1e-3)]
    public double LearningRate { get; set; } = 1e-3;
}
