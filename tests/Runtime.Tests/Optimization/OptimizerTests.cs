using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace FlatPO.Recipes.Tests.Optimization;

/// <summary>Our flat optimizers against TorchSharp's per-tensor ones, over twenty random gradients.</summary>
public sealed class OptimizerTests
{
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData(0.0), InlineData(0.1)]
    public void AdamW_is_torchs(double weightDecay)
    {
        using Arena arena = SmallArena.Of([5, 7], seed: 21);
        using AdamW ours = new(arena) { LearningRate = 1e-2, WeightDecay = weightDecay };
        Compare(arena, ours, theirs => optim.AdamW([theirs], lr: 1e-2, weight_decay: weightDecay));
    }

    [Theory]
    [InlineData(0.0, 0.0), InlineData(0.9, 0.0), InlineData(0.9, 0.05)]
    public void Sgd_is_torchs(double momentum, double weightDecay)
    {
        using Arena arena = SmallArena.Of([5, 7], seed: 22);
        using Sgd ours = new(arena) { LearningRate = 1e-2, Momentum = momentum, WeightDecay = weightDecay };
        Compare(arena, ours, theirs => optim.SGD([theirs], 1e-2, momentum: momentum, weight_decay: weightDecay));
    }

    [Fact]
    public void A_gradient_longer_than_allowed_is_scaled_to_that_length_a_shorter_one_is_left_alone()
    {
        using Arena arena = SmallArena.Of([30], seed: 23);
        double norm = arena.Gradient.norm().ToSingleValue();
        int[] before = arena.Gradient.Bits();
        arena.ClipGradient(norm * 2);
        arena.ClipGradient(0);
        Assert.Equal(before, arena.Gradient.Bits());
        arena.ClipGradient(norm / 4);
        Assert.Equal(norm / 4, arena.Gradient.norm().ToSingleValue(), 1e-4);
    }

    private static void Compare(Arena arena, BaseOptimizer ours, Func<Parameter, optim.Optimizer> make)
    {
        Parameter theirs = new(arena.Values.detach().clone());
        using optim.Optimizer optimizer = make(theirs);
        ours.Schedule(1);
        using Generator random = new(5, CPU);
        for (int step = 0; step < 20; step++)
        {
            using var scope = NewDisposeScope();
            arena.Gradient.copy_(randn([arena.Count], float32, generator: random));
            theirs.grad = arena.Gradient.clone().DetachFromDisposeScope();
            ours.Step();
            optimizer.step();
        }
        Assert.All(arena.Values.Numbers().Zip(theirs.Numbers()), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
    }
}
