using CsCheck;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;

namespace FlatPO.Recipes.Tests.Sharpness;

public sealed class RankingTests
{
    private static readonly Gen<(int[] Lengths, double Fraction)> Cases = Gen.Select(Gen.Int[1, 30].Array[1, 40], Gen.Double[0.001, 1]);

    [Fact]
    public void The_sharpest_are_the_largest_norms() => Cases.Sample(c =>
    {
        using Arena arena = SmallArena.Of(c.Lengths, seed: c.Lengths.Length);
        using Ranking ranking = new(arena, Sites.None);
        int count = ranking.CountOf(c.Fraction);
        string[] expected = [.. Norms(arena).OrderByDescending(pair => pair.Norm).Take(count).Select(pair => pair.Name)];
        Assert.Equal(expected.ToHashSet(), ranking.Sharpest(count).Names().ToHashSet());
    }, iter: 60);

    [Theory]
    [InlineData(1, 1), InlineData(2, 1), InlineData(18, 1), InlineData(19, 1), InlineData(20, 1), InlineData(39, 1), InlineData(40, 2), InlineData(48, 2), InlineData(96, 4)]
    public void Five_percent_of_m_tensors_is_the_floor_but_at_least_one(int tensors, int expected)
    {
        using Arena arena = SmallArena.Of([.. Enumerable.Repeat(2, tensors)], seed: 1);
        using Ranking ranking = new(arena, Sites.None);
        Assert.Equal(expected, ranking.Sharpest(ranking.CountOf(0.05)).Names().Count);
    }

    [Fact]
    public void Equal_norms_go_to_the_earlier_tensor()
    {
        using Arena arena = SmallArena.Of([2, 2, 2, 2], seed: 1);
        arena.Gradient.fill_(1);
        using Ranking ranking = new(arena, Sites.None);
        Assert.Equal(["t0", "t1"], ranking.Sharpest(2).Names());
    }

    [Fact]
    public void A_scope_admits_its_sites_alone()
    {
        using Arena arena = SmallArena.Of([5, 1, 5, 1], seed: 1); // query, value, query, value
        using Ranking ranking = new(arena, Sites.Value);
        Assert.Equal(["t1", "t3"], ranking.All().Names());
    }

    [Fact]
    public void The_quantile_keeps_every_norm_at_or_above_it() => Cases.Sample(c =>
    {
        using Arena arena = SmallArena.Of(c.Lengths, seed: 7);
        using Ranking ranking = new(arena, Sites.None);
        double[] sorted = [.. Norms(arena).Select(pair => pair.Norm).Order()];
        double place = 0.95 * (sorted.Length - 1); // torch.quantile's linear interpolation
        double threshold = sorted[(int)place] + (place - (int)place) * (sorted[(int)Math.Ceiling(place)] - sorted[(int)place]);
        string[] expected = [.. Norms(arena).Where(pair => pair.Norm >= threshold - 1e-6).Select(pair => pair.Name)];
        Assert.Equal(expected, ranking.AboveQuantile(0.95).Names());
    }, iter: 60);

    [Fact]
    public void The_same_seed_draws_the_same_tensors()
    {
        using Arena arena = SmallArena.Of([.. Enumerable.Repeat(2, 50)], seed: 1);
        using Ranking ranking = new(arena, Sites.None);
        Assert.Equal(ranking.Random(5, seed: 3).Names(), ranking.Random(5, seed: 3).Names());
        Assert.Equal(5, ranking.Random(5, seed: 3).Names().Count);
        Assert.NotEqual(ranking.Random(5, seed: 3).Names(), ranking.Random(5, seed: 4).Names());
    }

    [Fact]
    public void A_scope_that_holds_nothing_is_an_error_that_names_where_the_tensors_are()
    {
        using Arena arena = SmallArena.Of([2, 2], seed: 1);
        RecipeException error = Assert.Throws<RecipeException>(() => new Ranking(arena, Sites.Gate));
        Assert.Equal("FPO2010", error.Id);
        Assert.Contains("Gate", error.Message);
        Assert.Contains("Query, Value", error.Message);
    }

    [Fact]
    public void Modules_trained_whole_are_never_perturbed()
    {
        using Arena arena = SmallArena.Of([2, 2], seed: 1, TrainableKind.SavedModule);
        Assert.Throws<RecipeException>(() => new Ranking(arena, Sites.None));
    }

    private static IEnumerable<(string Name, double Norm)> Norms(Arena arena) =>
        arena.Tensors.Select(tensor => (tensor.Name, Math.Sqrt(tensor.Gradient.Numbers().Sum(g => (double)g * g))));
}
