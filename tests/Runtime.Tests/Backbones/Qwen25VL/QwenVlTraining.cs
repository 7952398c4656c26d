using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

[Trait("Category", Golden.Category)]
public sealed class QwenVlTraining(ITestOutputHelper output)
{
    [Theory]
    [InlineData("model.language_model.", Precision.Float32)]
    [InlineData("model.", Precision.Float32)]
    [InlineData("model.", Precision.BFloat16)]
    public void The_loss_falls(string under, Precision precision)
    {
        using var backbone = QwenVlCase.Load(precision);
        (AdapterPlacement placement, Arena arena) = Adapted(backbone, under);
        using var owned = arena;
        using AdamW optimizer = new(arena) { LearningRate = 1e-2 };
        using MultimodalBatch batch = backbone.Collate(QwenVlBatches.Rows(backbone), maxLength: 0);
        optimizer.Schedule(1);
        placement.Training = true;
        float[] losses = new float[15];
        for (int step = 0; step < losses.Length; step++)
        {
            using var scope = NewDisposeScope();
            losses[step] = new Window<MultimodalBatch>([batch], new RunSeed(0, step)).Pass(arena, backbone.Loss).item<float>();
            optimizer.Step();
        }
        output.WriteLine($"{under}* in {precision}: {losses[0]:f3} to {losses[^1]:f3}");
        Assert.InRange(losses[^1], 0, losses[0] / 2);
    }

    [Fact]
    public void Every_adapter_of_both_towers_gets_a_gradient()
    {
        using var backbone = QwenVlCase.Load();
        (_, Arena arena) = Adapted(backbone, "model.");
        using var owned = arena;
        using MultimodalBatch batch = backbone.Collate(QwenVlBatches.Rows(backbone), maxLength: 0);
        using var scope = NewDisposeScope();
        new Window<MultimodalBatch>([batch], new RunSeed(0, 0)).Pass(arena, backbone.Loss);
        float[] norms = arena.SumByTensor(arena.Gradient.abs()).data<float>().ToArray();
        Assert.All(arena.Tensors.Zip(norms).Where(pair => pair.First.Name.EndsWith("lora_B.weight", StringComparison.Ordinal)), pair => Assert.True(pair.Second > 0, pair.First.Name));
    }

    [Fact]
    public void Text_alone_teaches_a_tower_that_sees_nothing()
    {
        using var backbone = QwenVlCase.Load();
        (_, Arena arena) = Adapted(backbone, "model.visual.");
        using var owned = arena;
        using MultimodalBatch batch = backbone.Collate([QwenVlBatches.Rows(backbone)[2]], maxLength: 0);
        using var scope = NewDisposeScope();
        Assert.True(new Window<MultimodalBatch>([batch], new RunSeed(0, 0)).Pass(arena, backbone.Loss).item<float>() > 0);
        Assert.Equal(0, arena.Gradient.abs().max().item<float>());
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void A_second_pass_leaves_no_tensor_behind(Precision precision)
    {
        using var backbone = QwenVlCase.Load(precision);
        (_, Arena arena) = Adapted(backbone, "model.");
        using var owned = arena;
        MultimodalExample[] rows = QwenVlBatches.Rows(backbone);
        Pass();
        long before = Live();
        Pass();
        Assert.Equal(before, Live());

        void Pass()
        {
            using MultimodalBatch batch = backbone.Collate(rows, maxLength: 0);
            using var scope = NewDisposeScope();
            new Window<MultimodalBatch>([batch, batch with { Places = null }], new RunSeed(0, 0)).Pass(arena, backbone.Loss);
        }
    }

    private static (AdapterPlacement Placement, Arena Arena) Adapted(MultimodalLM backbone, string under)
    {
        AdapterPlacement placement = new(backbone, seed: 3);
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0 && site.Module.StartsWith(under, StringComparison.Ordinal)))
            placement.Place(new LoraMethod { Rank = 4, Alpha = 8 }, site.Module);
        return (placement, placement.BuildArena());
    }

    // Tensors of this thread that are alive, in a scope or outside of any.
    private static long Live() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
}
