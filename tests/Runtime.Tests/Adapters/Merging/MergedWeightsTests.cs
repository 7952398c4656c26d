using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.BitFit;
using FlatPO.Recipes.Adapters.Bottleneck;
using FlatPO.Recipes.Adapters.Ia3;
using FlatPO.Recipes.Adapters.LnTuning;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.Vera;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Merging;

/// <summary>Adapters merged in memory: the adapted model while it lasts, every bit as it was afterwards.</summary>
public sealed class MergedWeightsTests
{
    public static TheoryData<string, AdapterMethod, Sites> Methods => new()
    {
        { "llama", new LoraMethod { Rank = 4 }, Sites.AllLinear },
        { "opt", new LoraMethod { Rank = 4, LoraBias = true }, Sites.AllLinear },
        { "opt", new LoraMethod { Rank = 2, Bias = LoraBiasTraining.LoraOnly }, Sites.Query | Sites.Down },
        { "qwen3", new LoraMethod { Rank = 2, UseDora = true }, Sites.AllLinear },
        { "mistral", new LoraMethod { Rank = 2 }, Sites.Embedding | Sites.Head },
        { "opt", new Ia3Method(), Sites.Value | Sites.Down },
        { "qwen2", new VeraMethod { Rank = 8 }, Sites.AllLinear },
        { "llama", new LnTuningMethod(), Sites.Norm },
        { "opt", new BitFitMethod(), Sites.AllLinear | Sites.Norm },
    };

    [Theory, MemberData(nameof(Methods))]
    public void Gives_the_adapted_model_and_then_comes_back_bit_for_bit(string backbone, AdapterMethod method, Sites roles)
    {
        using Tried adapted = new(method, backbone, roles: roles);
        float[][] frozen = Frozen(adapted.Backbone);
        adapted.Move();
        Tensor expected = adapted.Logits(), plain = Plain(backbone);
        using (adapted.Placement.Merge())
        {
            Assert.All(adapted.Backbone.Weights.AllSites, site => Assert.False(site.IsTaken));
            using var noGrad = no_grad();
            Tensor merged = Tried.Logits(adapted.Backbone);
            Assert.InRange(Golden.LargestDifference(expected, merged), 0, 1e-4);
            Assert.True(Golden.LargestDifference(plain, merged) > 1e-3, "the adapters change the logits");
        }
        Assert.Equal(frozen, Frozen(adapted.Backbone));
        Assert.Equal(expected.Bits(), adapted.Logits().Bits());
    }

    [Fact]
    public void Is_disposed_once_and_merges_again()
    {
        using Tried adapted = new(new LoraMethod { Rank = 4 }, "llama");
        adapted.Move();
        Tensor expected = adapted.Logits();
        for (int time = 0; time < 2; time++)
        {
            MergedWeights merged = adapted.Placement.Merge();
            merged.Dispose();
            merged.Dispose();
        }
        Assert.Equal(expected.Bits(), adapted.Logits().Bits());
    }

    [Fact]
    public void Merged_weights_keep_the_backbones_format()
    {
        using Tried adapted = new(new LoraMethod { Rank = 4 }, "llama", Precision.BFloat16);
        adapted.Move();
        using (adapted.Placement.Merge())
            Assert.All(adapted.Backbone.Weights.All, weight => Assert.Equal(ScalarType.BFloat16, weight.Frozen.dtype));
    }

    [Fact]
    public void Refuses_what_would_part_the_weights_from_the_adapters()
    {
        using TemporaryFolder folder = new();
        using Tried adapted = new(new LoraMethod { Rank = 4 }, "llama");
        adapted.Move();
        adapted.Placement.Save(folder.File("adapter"));
        Tensor expected = adapted.Logits();
        using (adapted.Placement.Merge())
        {
            Action[] refused =
            [
                () => adapted.Placement.Training = true,
                () => adapted.Placement.Load(folder.File("adapter")),
                () => adapted.Placement.MergeInto(folder.File("merged")),
                () => adapted.Placement.Merge(),
            ];
            Assert.All(refused, act => Assert.Equal("FPO4022", Assert.Throws<RecipeException>(act).Id));
            adapted.Placement.Save(folder.File("again"));
        }
        Assert.False(Directory.Exists(folder.File("merged")));
        Assert.Equal(expected.Bits(), adapted.Logits().Bits());
        adapted.Placement.Load(folder.File("again"));
        Assert.Equal(expected.Bits(), adapted.Logits().Bits());
    }

    [Fact]
    public void What_has_no_merged_weights_is_refused_and_stays()
    {
        using Tried block = new(new BottleneckMethod { Size = 3 }, "opt", roles: Sites.Down), tied = new(new LoraMethod { Rank = 2 }, "opt", roles: Sites.Embedding);
        foreach (Tried adapted in (Tried[])[block, tied])
        {
            adapted.Move();
            Tensor expected = adapted.Logits();
            Assert.Equal(adapted == block ? "FPO1044" : "FPO4013", Assert.Throws<RecipeException>(() => adapted.Placement.Merge()).Id);
            Assert.Equal(expected.Bits(), adapted.Logits().Bits());
        }
    }

    [Fact]
    public void Of_a_collection_the_active_one_merges_and_no_other_takes_its_place_meanwhile()
    {
        using TemporaryFolder folder = new();
        foreach (int rank in (int[])[2, 4])
        {
            using Tried trained = new(new LoraMethod { Rank = rank }, "llama");
            trained.Move();
            trained.Placement.Save(folder.File($"rank{rank}"));
        }
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("llama"), Devices.Cpu, Precision.Float32);
        using AdapterCollection adapters = new(backbone);
        AdapterPlacement two = adapters.Load("two", folder.File("rank2")), four = adapters.Load("four", folder.File("rank4"));
        adapters.Activate("four");
        Assert.Equal("FPO4019", Assert.Throws<RecipeException>(() => two.Merge()).Id);
        using var noGrad = no_grad();
        Tensor expected;
        using (adapters.Bind())
            expected = Tried.Logits(backbone);
        using (four.Merge())
        {
            Assert.Equal("FPO4022", Assert.Throws<RecipeException>(() => adapters.Activate("two")).Id);
            Assert.Equal("FPO4022", Assert.Throws<RecipeException>(() => adapters.Activate(null)).Id);
            Assert.Equal("four", adapters.Active);
            Assert.InRange(Golden.LargestDifference(expected, Tried.Logits(backbone)), 0, 1e-4);
        }
        using (adapters.Bind())
            Assert.Equal(expected.Bits(), Tried.Logits(backbone).Bits());
        adapters.Activate("two");
    }

    private static Tensor Plain(string backbone)
    {
        using Tried plain = new(null, backbone);
        return plain.Logits();
    }

    private static float[][] Frozen(Backbone backbone) => [.. backbone.Weights.All.Select(weight => weight.Frozen.reshape(-1).data<float>().ToArray())];
}
