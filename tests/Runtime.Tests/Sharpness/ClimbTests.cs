using CsCheck;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Sharpness;

public sealed class ClimbTests
{
    private static readonly Gen<int[]> Lengths = Gen.Int[1, 30].Array[2, 12];

    [Fact]
    public void Leaving_the_climb_restores_every_bit_whatever_happens_inside() => Lengths.Sample(lengths =>
    {
        using Arena arena = SmallArena.Of(lengths, seed: 11);
        using Ranking ranking = new(arena, Sites.None);
        int[] before = arena.Values.Bits();
        Assert.Throws<InvalidTimeZoneException>(Fall);
        Assert.Equal(before, arena.Values.Bits());

        void Fall()
        {
            using (arena.Climb(ranking.All(), 0.3))
            {
                Assert.NotEqual(before, arena.Values.Bits());
                throw new InvalidTimeZoneException();
            }
        }
    }, iter: 40);

    [Fact]
    public void Rounding_takes_next_to_nothing_of_a_climb_where_bfloat16_alone_would_take_much()
    {
        using var scope = NewDisposeScope();
        using Generator random = new(4, CPU);
        TrainableTensor factor = new("lora_A", Sites.Query, TrainableKind.Adapter, randn([8, 1536], float32, generator: random).mul(Scalars.Of(0.02)));
        using Arena arena = new([factor], CPU);
        using Ranking ranking = new(arena, Sites.None);
        arena.Gradient.copy_(randn([arena.Count], float32, generator: random));
        Tensor values = arena.Values.detach().clone(), meant = arena.Gradient.mul(Scalars.Of(0.005 / arena.Gradient.norm().ToDouble()));
        Tensor moved = values.Plus(meant).to_type(ScalarType.BFloat16).sub(values.to_type(ScalarType.BFloat16)).to_type(ScalarType.Float32);
        Assert.True(moved.sub(meant).norm().ToDouble() > 0.3 * meant.norm().ToDouble());

        Assert.InRange(Climbed(), 0, 1e-3); // in float32
        _ = arena.Copies.Below([factor], ScalarType.BFloat16);
        Assert.InRange(Climbed(), 1e-6, 0.1); // by a number and what its rounding lost
        Assert.Null(arena.TakePerturbationError());

        double Climbed()
        {
            arena.Climb(ranking.All(), 0.005).Dispose();
            using Tensor error = arena.TakePerturbationError()!;
            return error.ToDouble();
        }
    }

    [Fact]
    public void Only_the_selected_tensors_move_even_where_the_gradient_is_not_finite() => Lengths.Sample(lengths =>
    {
        using Arena arena = SmallArena.Of(lengths, seed: 12);
        using Ranking ranking = new(arena, Sites.None);
        Selection sharp = ranking.Sharpest(1);
        arena.Gradient[0] = float.NaN;
        int[][] before = [.. arena.Tensors.Select(tensor => tensor.Value.Bits())];
        using (arena.Climb(sharp, 0.1))
            for (int i = 0; i < arena.Tensors.Count; i++)
                if (!sharp.Names().Contains(arena.Tensors[i].Name))
                    Assert.Equal(before[i], arena.Tensors[i].Value.Bits());
        Assert.Equal(before.SelectMany(bits => bits), arena.Values.Bits());
    }, iter: 40);

    [Fact]
    public void The_climb_over_all_tensors_is_rho_long()
    {
        using Arena arena = SmallArena.Of([20, 30], seed: 13);
        using Ranking ranking = new(arena, Sites.None);
        Assert.Equal(0.25, Length(arena, ranking.All(), 0.25), 1e-5);
    }

    [Fact]
    public void Dividing_by_all_tensors_makes_a_partial_climb_shorter_dividing_by_the_selected_does_not()
    {
        using Arena arena = SmallArena.Of([20, 60], seed: 14);
        using Ranking ranking = new(arena, Sites.None);
        double share = arena.Tensors[1].Gradient.norm().ToSingleValue() / arena.Gradient.norm().ToSingleValue();
        Selection one = ranking.Sharpest(1);
        Assert.Equal(["t1"], one.Names());
        Assert.Equal(0.2 * share, Length(arena, one, 0.2), 1e-5);
        Assert.Equal(0.2, Length(arena, one, 0.2, normalization: Normalization.Selected), 1e-5);
    }

    [Fact]
    public void The_adaptive_climb_is_theta_squared_times_the_gradient_over_the_norm_of_theta_times_the_gradient()
    {
        using Arena arena = SmallArena.Of([7, 9], seed: 15);
        using Ranking ranking = new(arena, Sites.None);
        float[] theta = arena.Values.Numbers(), gradient = arena.Gradient.Numbers();
        double norm = Math.Sqrt(theta.Zip(gradient, (t, g) => (double)(t * g) * (t * g)).Sum());
        using (arena.Climb(ranking.All(), 0.5, ClimbMetric.Adaptive))
        {
            float[] climbed = arena.Values.Numbers();
            for (int i = 0; i < theta.Length; i++)
                Assert.Equal(theta[i] + 0.5 * theta[i] * theta[i] * gradient[i] / norm, climbed[i], 1e-5);
        }
    }

    [Fact]
    public void A_gradient_of_zero_climbs_nowhere()
    {
        using Arena arena = SmallArena.Of([4], seed: 16);
        using Ranking ranking = new(arena, Sites.None);
        arena.ZeroGradient();
        int[] before = arena.Values.Bits();
        using (arena.Climb(ranking.All(), 0.5))
            Assert.Equal(before, arena.Values.Bits());
    }

    private static double Length(Arena arena, Selection selection, double rho, Normalization normalization = Normalization.AllTensors)
    {
        using Tensor before = arena.Values.detach().clone();
        using (arena.Climb(selection, rho, normalization: normalization))
            return (arena.Values.detach() - before).norm().ToSingleValue();
    }
}
