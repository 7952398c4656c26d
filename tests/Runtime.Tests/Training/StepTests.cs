using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using TorchSharp;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>What must hold of a step whatever its numbers.</summary>
public sealed class StepTests
{
    private const int Steps = 5;

    public static TheoryData<string, double> OptimizersAndDropout => new() { { "sgd", 0 }, { "adamw", 0 }, { "sgd", 0.2 }, { "adamw", 0.2 } };

    [Theory, MemberData(nameof(OptimizersAndDropout))]
    public void Rho_0_is_the_base_optimizer_bit_for_bit(string optimizer, double dropout)
    {
        using Adapted plain = new(dropout, Make(optimizer)), climbing = new(dropout, Make(optimizer));
        for (int step = 0; step < Steps; step++)
        {
            Window<TokenBatch> window = Adapted.Window(Adapted.Examples(4, seed: step), 4, step);
            plain.BaseStep(window);
            climbing.SharpStep(window, ranking => ranking.Sharpest(ranking.CountOf(0.05)), rho: 0);
        }
        Assert.Equal(plain.Arena.Values.Bits(), climbing.Arena.Values.Bits());
    }

    [Theory, MemberData(nameof(OptimizersAndDropout))]
    public void A_fraction_of_1_is_SAM_bit_for_bit(string optimizer, double dropout)
    {
        using Adapted sam = new(dropout, Make(optimizer)), flat = new(dropout, Make(optimizer));
        for (int step = 0; step < Steps; step++)
        {
            Window<TokenBatch> window = Adapted.Window(Adapted.Examples(4, seed: step), 4, step);
            sam.SharpStep(window, ranking => ranking.All(), rho: 0.1);
            flat.SharpStep(window, ranking => ranking.Sharpest(ranking.CountOf(1)), rho: 0.1);
        }
        Assert.Equal(sam.Arena.Values.Bits(), flat.Arena.Values.Bits());
    }

    [Fact]
    public void An_exception_in_the_second_pass_leaves_the_weights_as_they_were_before_the_step()
    {
        using Adapted adapted = new();
        Window<TokenBatch> window = Adapted.Window(Adapted.Examples(4), 4);
        adapted.SharpStep(window, ranking => ranking.All(), 0.1);
        int[] before = adapted.Arena.Values.Bits();
        adapted.Pass(window);
        Assert.Throws<InvalidDataException>(Break);
        Assert.Equal(before, adapted.Arena.Values.Bits());

        void Break()
        {
            using (adapted.Arena.Climb(adapted.Ranking.All(), 0.1))
                window.Pass(adapted.Arena, (_, _) => throw new InvalidDataException());
        }
    }

    [Fact]
    public void A_gradient_that_is_not_a_number_never_stays_in_the_weights_of_the_climb()
    {
        using Adapted adapted = new();
        int[] before = adapted.Arena.Values.Bits();
        adapted.Arena.Gradient.fill_(float.NaN);
        using (adapted.Arena.Climb(adapted.Ranking.All(), 0.1))
            Assert.NotEqual(before, adapted.Arena.Values.Bits());
        Assert.Equal(before, adapted.Arena.Values.Bits());
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Micro_batches_weigh_as_the_one_batch_they_make_in_both_passes(int batchSize)
    {
        TokenExample[] examples = Adapted.Examples(8); // rows of different length: uneven counts of supervised tokens
        using Adapted whole = new(optimizer: Make("sgd")), split = new(optimizer: Make("sgd"));
        for (int step = 0; step < Steps; step++)
        {
            whole.SharpStep(Adapted.Window(examples, 8, step), ranking => ranking.Sharpest(2), 0.1);
            split.SharpStep(Adapted.Window(examples, batchSize, step), ranking => ranking.Sharpest(2), 0.1);
            Assert.Equal(whole.Ranking.Sharpest(2).Names(), split.Ranking.Sharpest(2).Names());
        }
        Assert.All(whole.Arena.Gradient.Numbers().Zip(split.Arena.Gradient.Numbers()), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void Both_passes_of_a_step_drop_the_same_elements_and_the_next_step_drops_others()
    {
        using Adapted adapted = new(dropout: 0.5);
        adapted.BaseStep(Adapted.Window(Adapted.Examples(4), 4)); // B leaves zero, so that dropout shows
        TokenExample[] examples = Adapted.Examples(4, seed: 2);
        double first = adapted.Pass(Adapted.Window(examples, 4, step: 7)).ToSingleValue();
        Assert.Equal(first, adapted.Pass(Adapted.Window(examples, 4, step: 7)).ToSingleValue());
        Assert.NotEqual(first, adapted.Pass(Adapted.Window(examples, 4, step: 8)).ToSingleValue());
    }

    [Fact]
    public void Steps_leave_no_tensors_behind()
    {
        using Adapted adapted = new();
        Window<TokenBatch> window = Adapted.Window(Adapted.Examples(6), 3);
        long Live()
        {
            adapted.SharpStep(window, ranking => ranking.Sharpest(2), 0.1);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        long settled = Enumerable.Range(0, 3).Select(_ => Live()).Last();
        Assert.All(Enumerable.Range(0, 20), _ => Assert.Equal(settled, Live()));
    }

    private static Func<Arena, BaseOptimizer> Make(string optimizer) => arena => optimizer == "sgd"
        ? new Sgd(arena) { LearningRate = 0.05, Momentum = 0.9 }
        : new AdamW(arena) { LearningRate = 1e-2 };
}
