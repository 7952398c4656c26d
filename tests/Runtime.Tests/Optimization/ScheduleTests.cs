using FlatPO.Recipes.Optimization;

namespace FlatPO.Recipes.Tests.Optimization;

/// <summary>Factors as transformers' <c>optimization.py</c> gives them for 10 steps, 2 of them warm-up.</summary>
public sealed class ScheduleTests
{
    [Fact]
    public void Cosine() => Check(new CosineSchedule { WarmupRatio = 0.2 }, 0, 0.5, 1, 0.9619398, 0.8535534, 0.6913417, 0.5, 0.3086583, 0.1464466, 0.0380602);

    [Fact]
    public void Linear() => Check(new LinearSchedule { WarmupRatio = 0.2 }, 0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125);

    [Fact]
    public void Constant() => Check(new ConstantSchedule { WarmupRatio = 0.2 }, 0, 0.5, 1, 1, 1, 1, 1, 1, 1, 1);

    [Fact]
    public void Without_warm_up_the_first_step_has_the_full_rate() => Assert.Equal(1, new CosineSchedule().Factor(0, 5));

    private static void Check(LearningRateSchedule schedule, params double[] expected)
    {
        for (int step = 0; step < expected.Length; step++)
            Assert.Equal(expected[step], schedule.Factor(step, expected.Length), 1e-6);
    }
}
