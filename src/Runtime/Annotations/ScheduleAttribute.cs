namespace FlatPO.Recipes;

/// <summary>How the learning rate moves over a run. A schedule is an attribute derived from this one and named <c>RealizedBy</c> its runtime class.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public abstract class ScheduleAttribute : Attribute
{
    /// <summary>The share of all steps over which the learning rate rises linearly from 0.</summary>
    [Bounds("FPO2007", Minimum = 0, Maximum = "1"), PerRun, Default(0.0)]
    public double WarmupRatio { get; set; }
}
