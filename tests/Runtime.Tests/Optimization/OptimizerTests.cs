using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using TorchSharp;
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

    /// <summary>Tensors that take turns at three rates, one of them alone.</summary>
    private static double Factor(int tensor) => tensor == 3 ? 0.5 : tensor % 2 == 0 ? 1 : 16;

    [Theory]
    [InlineData(0.0), InlineData(0.1)]
    public void AdamW_moves_each_tensor_at_its_own_rate(double weightDecay)
    {
        using Arena arena = SmallArena.Of([5, 7, 1, 40, 3, 9], seed: 24, factor: Factor);
        using AdamW ours = new(arena) { LearningRate = 1e-3, WeightDecay = weightDecay };
        CompareByTensor(arena, ours, (tensor, factor) => optim.AdamW([tensor], lr: 1e-3 * factor, weight_decay: weightDecay));
    }

    [Theory]
    [InlineData(0.0, 0.0), InlineData(0.9, 0.05)]
    public void Sgd_moves_each_tensor_at_its_own_rate(double momentum, double weightDecay)
    {
        using Arena arena = SmallArena.Of([5, 7, 1, 40, 3, 9], seed: 25, factor: Factor);
        using Sgd ours = new(arena) { LearningRate = 1e-3, Momentum = momentum, WeightDecay = weightDecay };
        CompareByTensor(arena, ours, (tensor, factor) => optim.SGD([tensor], 1e-3 * factor, momentum: momentum, weight_decay: weightDecay));
    }

    [Fact]
    public void One_rate_for_all_is_the_flat_step_bit_for_bit()
    {
        // 16 · 2⁻¹⁰ is exact, so that the factor may stand in the rate or at the tensors
        using Arena plain = SmallArena.Of([5, 7, 33], seed: 26), factored = SmallArena.Of([5, 7, 33], seed: 26, factor: _ => 16);
        using AdamW atOnce = new(plain) { LearningRate = Math.ScaleB(1, -6) }, byFactor = new(factored) { LearningRate = Math.ScaleB(1, -10) };
        foreach (AdamW optimizer in (AdamW[])[atOnce, byFactor])
        {
            optimizer.Schedule(1);
            optimizer.Step();
            optimizer.Step();
        }
        Assert.Equal(plain.Values.Bits(), factored.Values.Bits());
    }

    [Fact]
    public void A_step_at_several_rates_leaves_no_tensor_behind()
    {
        using Arena arena = SmallArena.Of([5, 7, 33], seed: 27, factor: Factor);
        using AdamW adamW = new(arena);
        using Sgd sgd = new(arena);
        foreach (BaseOptimizer optimizer in (BaseOptimizer[])[adamW, sgd])
        {
            optimizer.Step();
            long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            optimizer.Step();
            Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        }
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

    /// <summary>A torch optimizer a tensor, each with a rate of its own.</summary>
    private static void CompareByTensor(Arena arena, BaseOptimizer ours, Func<Parameter, double, optim.Optimizer> make)
    {
        Parameter[] theirs = [.. arena.Tensors.Select(tensor => new Parameter(tensor.Value.clone()))];
        optim.Optimizer[] optimizers = [.. theirs.Select((tensor, i) => make(tensor, Factor(i)))];
        ours.Schedule(1);
        using Generator random = new(5, CPU);
        for (int step = 0; step < 20; step++)
        {
            using var scope = NewDisposeScope();
            arena.Gradient.copy_(randn([arena.Count], float32, generator: random));
            for (int i = 0; i < theirs.Length; i++)
            {
                theirs[i].grad = arena.Tensors[i].Gradient.clone().DetachFromDisposeScope();
                optimizers[i].step();
            }
            ours.Step();
        }
        Assert.All(arena.Values.Numbers().Zip(theirs.SelectMany(tensor => tensor.Numbers())), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
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
