using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Collections;

/// <summary>Weighted sums of LoRA adapters, against sums of ΔW and peft's formulas computed here.</summary>
[Trait("Category", Golden.Category)]
public sealed class LoraCombinationTests : IDisposable
{
    private static readonly (string Name, double Weight)[] Parts = [("one", 0.7), ("two", -1.3), ("three", 0.4)];

    private readonly TemporaryFolder folder = new();
    private readonly Backbone backbone = BackboneLoader.Load(Golden.Backbone("llama"), Devices.Cpu, Precision.Float32);
    private readonly AdapterCollection adapters;

    public LoraCombinationTests()
    {
        adapters = new AdapterCollection(backbone);
        Load("one", new LoraMethod { Rank = 4, Alpha = 8 });
        Load("two", new LoraMethod { Rank = 2, Alpha = 3, UseRslora = true });
        Load("three", new LoraMethod { Rank = 3, Alpha = 1 });
    }

    [Theory]
    [InlineData(AdapterCombination.Concatenated, null, 9)]
    [InlineData(AdapterCombination.Svd, 9, 9)]
    [InlineData(AdapterCombination.Svd, 12, 12)]
    public void The_whole_rank_gives_exactly_the_sum(AdapterCombination how, int? rank, int expected)
    {
        using var scope = NewDisposeScope();
        AdapterPlacement sum = adapters.Combine("sum", Parts, how, rank);
        Assert.Null(adapters.Active);
        Assert.Equal(["one", "two", "three", "sum"], adapters.Names);
        Assert.Equal(adapters["one"].AtLinearLayers.Count, sum.AtLinearLayers.Count);
        foreach ((Projection site, AdapterLayer layer) in sum.AtLinearLayers)
        {
            LoraPair pair = (LoraPair)layer;
            Assert.Equal((expected, 1.0), ((int)pair.A.Shape[0], pair.Scaling));
            Assert.InRange(Golden.LargestDifference(pair.B.Value.mm(pair.A.Value), Direct(site)), 0, 1e-5);
            Assert.InRange(Golden.LargestDifference(pair.MergedWeight(site), site.Weight.Frozen + Direct(site)), 0, 1e-5);
        }
    }

    [Theory]
    [InlineData(null, 4), InlineData(1, 1), InlineData(6, 6)]
    public void A_smaller_rank_gives_the_nearest_sum_of_that_rank(int? rank, int expected)
    {
        using var scope = NewDisposeScope();
        foreach ((Projection site, AdapterLayer layer) in adapters.Combine("sum", Parts, AdapterCombination.Svd, rank).AtLinearLayers)
        {
            LoraPair pair = (LoraPair)layer;
            Assert.Equal(expected, pair.A.Shape[0]);
            (Tensor u, Tensor s, Tensor vh) = linalg.svd(Direct(site).to_type(ScalarType.Float64)); // of [out, in] itself, as peft takes it
            Tensor nearest = (u.narrow(1, 0, expected) * s.narrow(0, 0, expected)).mm(vh.narrow(0, 0, expected));
            Assert.InRange(Golden.LargestDifference(pair.B.Value.mm(pair.A.Value), nearest), 0, 1e-5);
            Assert.InRange(Golden.LargestDifference(pair.A.Value.mm(pair.A.Value.t()), eye(expected)), 0, 1e-5); // A is Vᵀ, the lengths are in B
            Assert.NotInRange(Golden.LargestDifference(nearest, Direct(site)), 0, 1e-5); // something was cut
        }
    }

    [Fact]
    public void Linear_is_pefts_formula()
    {
        using var scope = NewDisposeScope();
        Load("four", new LoraMethod { Rank = 4, Alpha = 3 });
        AdapterPlacement sum = adapters.Combine("sum", [("one", 0.7), ("four", -1.3)], AdapterCombination.Linear);
        foreach ((Projection site, AdapterLayer layer) in sum.AtLinearLayers)
        {
            LoraPair pair = (LoraPair)layer, one = Of("one", site), four = Of("four", site);
            // peft: √|w s| on both factors, the sign on A alone; s is 8 / 4 and 3 / 4
            float first = MathF.Sqrt(0.7f * 2), second = MathF.Sqrt(1.3f * 0.75f);
            Assert.InRange(Golden.LargestDifference(pair.A.Value, one.A.Value * first - four.A.Value * second), 0, 1e-6);
            Assert.InRange(Golden.LargestDifference(pair.B.Value, one.B.Value * first + four.B.Value * second), 0, 1e-6);
            Assert.Equal(1, pair.Scaling);
        }
    }

    [Fact]
    public void One_adapter_alone_is_itself_times_its_weight()
    {
        using var scope = NewDisposeScope();
        foreach (AdapterCombination how in Enum.GetValues<AdapterCombination>())
            foreach ((Projection site, AdapterLayer layer) in adapters.Combine($"{how}", [("one", -0.5)], how).AtLinearLayers)
                Assert.InRange(Golden.LargestDifference(((LoraPair)layer).B.Value.mm(((LoraPair)layer).A.Value), Delta("one", site) * -0.5), 0, 1e-5);
    }

    [Fact]
    public void A_sum_runs_is_saved_and_comes_back_bit_for_bit()
    {
        adapters.Combine("sum", Parts, AdapterCombination.Svd, 5);
        adapters.Activate("sum");
        int[] bits = Bits(adapters);
        adapters["sum"].Save(folder.Path);
        adapters.Load("again", folder.Path);
        adapters.Activate("again");
        Assert.Equal(bits, Bits(adapters));
        adapters.Activate(null);
        Assert.NotEqual(bits, Bits(adapters));
    }

    [Fact]
    public void The_parts_stay_as_they_are()
    {
        adapters.Activate("two");
        int[] before = Bits(adapters);
        adapters.Combine("sum", Parts, AdapterCombination.Concatenated);
        Assert.Equal("two", adapters.Active);
        Assert.Equal(before, Bits(adapters));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        Round();
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Round();
        Assert.Throws<RecipeException>(() => adapters.Combine("sum", Parts, AdapterCombination.Svd, 5000));
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);

        void Round()
        {
            foreach (AdapterCombination how in (AdapterCombination[])[AdapterCombination.Svd, AdapterCombination.Concatenated])
            {
                adapters.Combine("sum", Parts, how);
                adapters.Remove("sum");
            }
        }
    }

    [Fact]
    public void What_cannot_be_combined_is_an_error_that_names_it()
    {
        Load("dora", new LoraMethod { Rank = 4, UseDora = true });
        Load("ia3", new Ia3Method());
        Load("elsewhere", new LoraMethod { Rank = 4 }, Sites.Query);
        Load("whole", new LoraMethod { Rank = 4 }, Sites.AllLinear, whole: "lm_head");
        Fails("FPO4020", [("one", 1), ("two", 1)], AdapterCombination.Linear, null, "'one' has 4, 'two' has 2");
        Fails("FPO4020", [("one", 1), ("dora", 1)], AdapterCombination.Svd, null, "'dora' is not plain LoRA");
        Fails("FPO4020", [("ia3", 1)], AdapterCombination.Svd, null, "'ia3' is not plain LoRA");
        Fails("FPO4020", [("one", 1), ("elsewhere", 1)], AdapterCombination.Svd, null, "'elsewhere' and 'one' sit at different sites");
        Fails("FPO4020", [("whole", 1)], AdapterCombination.Svd, null, "'whole' trained lm_head whole");
        Fails("FPO4020", [], AdapterCombination.Svd, null, "no adapter");
        Fails("FPO4020", [("one", double.NaN)], AdapterCombination.Svd, null, "'one' is NaN");
        Fails("FPO4020", [("one", 1)], AdapterCombination.Concatenated, 3, "rank of 3");
        Fails("FPO4020", [("one", 1)], AdapterCombination.Svd, 0, "rank of 0");
        Fails("FPO4017", [("noe", 1)], AdapterCombination.Svd, null, "'noe'", "'one', 'two'");
        Fails("FPO1005", [("one", 1)], AdapterCombination.Svd, 5000, "5000");
        Assert.Equal("FPO4018", Assert.Throws<RecipeException>(() => adapters.Combine("one", [("two", 1)])).Id);
    }

    private void Fails(string id, (string, double)[] parts, AdapterCombination how, int? rank, params string[] words)
    {
        string[] names = [.. adapters.Names];
        RecipeException error = Assert.Throws<RecipeException>(() => adapters.Combine("sum", parts, how, rank));
        Assert.Equal(id, error.Id);
        Assert.All(words, word => Assert.Contains(word, error.Message));
        Assert.Equal(names, adapters.Names);
        Assert.All(backbone.Weights.Projections, site => Assert.Null(site.Adapter));
    }

    /// <summary>Writes an adapter of random numbers and loads it.</summary>
    private void Load(string name, AdapterMethod method, Sites roles = Sites.AllLinear, string? whole = null)
    {
        using (Backbone other = BackboneLoader.Load(Golden.Backbone("llama"), Devices.Cpu, Precision.Float32))
        {
            AdapterPlacement placement = new(other, seed: name[0]);
            foreach (Projection site in other.Weights.Projections.Where(site => (site.Role & roles) != 0))
                placement.Place(method, site);
            if (whole is not null)
                placement.TrainWhole(whole);
            using Arena arena = placement.BuildArena();
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using Generator random = new((ulong)name.Sum(letter => letter));
            arena.Values.add_(randn([arena.Count], generator: random).mul(0.05));
            placement.Save(folder.File(name));
        }
        adapters.Load(name, folder.File(name));
    }

    private Tensor Direct(Projection site) => Parts.Select(part => Delta(part.Name, site) * part.Weight).Aggregate((sum, term) => sum + term);

    /// <summary>s · B A, with the scale taken from what the test asked for.</summary>
    private Tensor Delta(string name, Projection site) =>
        Of(name, site).B.Value.mm(Of(name, site).A.Value) * name switch { "one" => 8.0 / 4, "two" => 3 / Math.Sqrt(2), _ => 1.0 / 3 };

    private LoraPair Of(string name, Projection site) => (LoraPair)adapters[name].AtLinearLayers.Single(placed => placed.Site == site).Layer;

    private static int[] Bits(AdapterCollection collection)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using (collection.Bind())
            return collection.Backbone.Probe()!.reshape(-1).Bits();
    }

    public void Dispose()
    {
        adapters.Dispose();
        backbone.Dispose();
        folder.Dispose();
    }
}
