namespace FlatPO.Recipes.Optimization;

/// <summary>What part of the learning rate is in force at a step; closed form, so that a resumed run needs no state.</summary>
public abstract class LearningRateSchedule
{
    /// <inheritdoc cref="ScheduleAttribute.WarmupRatio"/>
    public double WarmupRatio { get; init; }

    /// <summary>The factor at <paramref name="step"/> (from 0) of <paramref name="totalSteps"/>; transformers' <c>optimization.py</c>.</summary>
    public double Factor(long step, long totalSteps)
    {
        long warmup = (long)Math.Ceiling(WarmupRatio * totalSteps);
        return step < warmup
            ? (double)step / Math.Max(1, warmup)
            : AfterWarmup((double)(step - warmup) / Math.Max(1, totalSteps - warmup));
    }

    /// <summary>The factor once a share <paramref name="progress"/> of the steps after warm-up is done.</summary>
    protected abstract double AfterWarmup(double progress);
}

/// <summary>Stays at the learning rate.</summary>
public sealed class ConstantSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    protected override double AfterWarmup(double progress) => 1;
}

/// <summary>A straight line down to 0.</summary>
public sealed class LinearSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    protected override double AfterWarmup(double progress) => Math.Max(0, 1 - progress);
}

/// <summary>A half cosine down to 0.</summary>
public sealed class CosineSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    protected override double AfterWarmup(double progress) => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * progress)));
}
