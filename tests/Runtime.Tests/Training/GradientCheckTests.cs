using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Tests.Backbones.Qwen25VL;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>The first step's look at every tensor's gradient.</summary>
[Trait("Category", Golden.Category)]
public sealed class GradientCheckTests
{
    private const string Seeing = "model.visual.blocks.0.mlp.up_proj", Reading = "model.language_model.layers.0.mlp.up_proj";

    [Fact]
    public void Tensors_without_a_gradient_are_one_error_before_anything_moves()
    {
        using var backbone = QwenVlCase.Load();
        AdapterPlacement placement = new(backbone, seed: 1);
        placement.Place(new LoraMethod { Rank = 2 }, Reading.Replace("up", "down"));
        placement.Place(new PartlyMethod(), Reading);
        placement.Place(new PartlyMethod(), Seeing);
        using Arena arena = placement.BuildArena();
        int[] before = arena.Values.Bits();
        RecipeException error = Assert.Throws<RecipeException>(() => { Run(backbone, placement, arena, QwenVlBatches.Rows(backbone)); });
        Assert.Equal("FPO2102", error.Id);
        Assert.Contains("2 of 6 trained tensors", error.Message);
        Assert.Contains($"{Reading}.idle, {Seeing}.idle.", error.Message);
        Assert.DoesNotContain("applied", error.Message);
        Assert.Equal(before, arena.Values.Bits());
        Assert.False(backbone.Training);
    }

    [Fact]
    public void A_batch_of_text_alone_says_nothing_of_the_tower_that_sees()
    {
        using var backbone = QwenVlCase.Load();
        AdapterPlacement placement = new(backbone, seed: 1);
        placement.Place(new PartlyMethod(), Seeing);
        placement.Place(new LoraMethod { Rank = 2 }, Reading);
        using Arena arena = placement.BuildArena();
        MultimodalExample[] rows = QwenVlBatches.Rows(backbone);
        Run(backbone, placement, arena, [.. rows.Where(row => row.Images.Count == 0)]);
        Assert.Contains($": {Seeing}.idle.", Assert.Throws<RecipeException>(() => { Run(backbone, placement, arena, rows); }).Message);
    }

    [Fact]
    public void Every_layer_of_both_towers_passes()
    {
        using var backbone = QwenVlCase.Load();
        AdapterPlacement placement = new(backbone, seed: 1);
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0))
            placement.Place(new LoraMethod { Rank = 2 }, site.Module);
        using Arena arena = placement.BuildArena();
        Run(backbone, placement, arena, QwenVlBatches.Rows(backbone));
    }

    [Fact]
    public void A_of_LoRA_waits_for_B_while_B_is_zero_and_no_longer()
    {
        using Adapted adapted = new();
        LoraPair pair = (LoraPair)adapted.Placement.AtLinearLayers[0].Layer;
        Assert.Same(pair.B, pair.A.WaitsFor);
        GradientCheck check = new(adapted.Backbone);
        using var scope = NewDisposeScope();
        adapted.Pass(Adapted.Window(Adapted.Examples(4), 4));
        check.Require(adapted.Arena, Towers.All); // B is zero: every A is still without a gradient
        Assert.Equal(0, pair.A.Gradient.abs().max().item<float>());
        using (no_grad())
            pair.B.Value.fill_(0.01);
        Assert.Contains($"1 of {adapted.Arena.Tensors.Count} trained tensors", Assert.Throws<RecipeException>(() => check.Require(adapted.Arena, Towers.All)).Message);
        adapted.Pass(Adapted.Window(Adapted.Examples(4), 4));
        check.Require(adapted.Arena, Towers.All);
        using (no_grad())
            pair.B.Gradient.fill_(0); // B waits for none
        Assert.Contains(pair.B.Name, Assert.Throws<RecipeException>(() => check.Require(adapted.Arena, Towers.All)).Message);
    }

    [Fact]
    public void It_looks_once_a_run_and_leaves_no_tensor_behind()
    {
        using Adapted adapted = new();
        int looks = 0;
        Window<TokenBatch> window = Adapted.Window(Adapted.Examples(4), 2);
        window.AfterFirstPass = (arena, fed) =>
        {
            looks++;
            Assert.Equal(Towers.All, fed);
            long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            new GradientCheck(adapted.Backbone).Require(arena, fed);
            Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        };
        using var scope = NewDisposeScope();
        adapted.Pass(window);
        adapted.Pass(window);
        Assert.Equal(1, looks);
    }

    private static void Run(MultimodalLM backbone, AdapterPlacement placement, Arena arena, MultimodalExample[] rows)
    {
        using Sgd optimizer = new(arena) { LearningRate = 1e-3 };
        new TrainingLoop { BatchSize = rows.Length }.Run(
            placement, rows, new TrainingSteps<MultimodalExample, MultimodalBatch>(backbone, Step, optimizer, new ConstantSchedule()), null, CancellationToken.None);

        StepReport Step(Window<MultimodalBatch> window)
        {
            Tensor loss = window.Pass(arena, backbone.Loss);
            optimizer.Step();
            return new StepReport(loss);
        }
    }

    /// <summary>An adapter with a tensor it uses and one it forgets.</summary>
    private sealed class PartlyMethod : AdapterMethod<PartlyLayer>
    {
        public override string PeftType => "PARTLY";

        public override void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
        {
        }

        public override void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
        {
        }

        public override PartlyLayer Place(Projection site, Generator random) => new(Ones(site, "applied"), Ones(site, "idle"));

        private static TrainableTensor Ones(Projection site, string name) => new($"{site.Module}.{name}", site.Role, TrainableKind.Adapter, ones(site.Out));
    }

    private sealed class PartlyLayer(TrainableTensor applied, TrainableTensor idle) : AdapterLayer
    {
        public override IReadOnlyList<TrainableTensor> Tensors => [applied, idle];

        public override Tensor Forward(Tensor x, Projection site) => site.Base(x).mul(applied.Live);

        public override Tensor MergedWeight(Projection site) => site.Weight.Frozen.mul(applied.Value.unsqueeze(1));
    }
}
