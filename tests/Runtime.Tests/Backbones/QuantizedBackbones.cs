using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Tests.Adapters;
using FlatPO.Recipes.Tests.Operations;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Tests.Training;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>A backbone in NF4 is the bfloat16 backbone with the numbers that the codes stand for.</summary>
[Trait("Category", Golden.Category)]
public sealed class QuantizedBackbones : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string> Families => Golden.Cases("backbones");

    [Theory, MemberData(nameof(Families))]
    public void Linear_layers_but_the_head_are_held_in_four_bits(string name)
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.NF4), whole = BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.Float32);
        Assert.Contains(backbone.Weights.Projections, site => site.Weight.Packed is not null);
        Assert.All(backbone.Weights.Projections, site => Assert.Equal((site.Role & Sites.Head) == 0, site.Weight.Packed is not null));
        HashSet<Weight> packed = [.. backbone.Weights.Projections.Select(site => site.Weight).Where(weight => weight.Packed is not null)];
        foreach ((Weight weight, Weight exact) in backbone.Weights.All.Zip(whole.Weights.All))
        {
            Assert.Equal(packed.Contains(weight), weight.Packed is not null); // of no site: a patch embedding
            float[] expected = packed.Contains(weight) ? new PlainNf4(exact.Frozen.reshape(-1).Numbers()).Numbers() : exact.Frozen.to_type(ScalarType.BFloat16).to_type(ScalarType.Float32).reshape(-1).Numbers();
            float rounding = expected.Max(Math.Abs) / 128; // of bfloat16
            double[] apart = [.. weight.Frozen.reshape(-1).to_type(ScalarType.Float32).Numbers().Zip(expected, (found, wanted) => Math.Abs((double)found - wanted))];
            // a number half way between two levels, or a scale between two steps, may fall to either by the last bit of a quotient or a sum: seldom
            Assert.InRange(apart.Count(difference => difference > rounding), 0, packed.Contains(weight) ? 64 * (1 + apart.Length / 64_000) : 0);
            Assert.InRange(apart.Max(), 0, 0.32 * expected.Max(Math.Abs)); // the widest gap between two levels
        }
    }

    [Theory]
    [InlineData("llama", 0)]
    [InlineData("qwen2", 0)] // biases of its own
    [InlineData("opt", 0.1)]
    public void Trains_as_the_backbone_of_the_numbers_it_stands_for(string name, double dropout)
    {
        using TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone(name));
        float[] quantized = Train(Golden.Backbone(name), Precision.NF4, dropout, backbone => SafetensorsWriter.Write(
            folder.File(Checkpoint.SingleFile), backbone.Weights.All.ToDictionary(weight => weight.Name, weight => weight.Frozen)));
        float[] plain = Train(folder.Path, Precision.BFloat16, dropout, _ => { });
        Assert.Equal(plain.Length, quantized.Length);
        Assert.All(plain.Zip(quantized), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
    }

    [Fact]
    public void Methods_that_read_weights_read_the_numbers_they_stand_for()
    {
        LoraMethod[] methods = [new() { Rank = 4, UseDora = true, Dropout = 0.1 }, new() { Rank = 4, Initialization = LoraInitialization.Pissa }];
        foreach (LoraMethod method in methods)
        {
            using Tried quantized = new(method, "llama", Precision.NF4), plain = new(null, "llama", Precision.NF4);
            Assert.Equal(plain.Logits().Bits(), quantized.Logits().Bits());
            quantized.Placement.Training = true;
            using (quantized.Arena.Bind())
                Assert.True(Tried.Logits(quantized.Backbone).isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void A_module_trained_whole_begins_as_the_numbers_it_stood_for()
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("llama"), CPU, Precision.NF4);
        Projection site = backbone.Weights.Projections[0];
        float[] stood = site.Weight.Frozen.to_type(ScalarType.Float32).Numbers();
        AdapterPlacement placement = new(backbone, seed: 1);
        placement.TrainWhole(site.Module);
        using Arena arena = placement.BuildArena();
        using var bound = arena.Bind();
        Assert.Null(site.Weight.Packed);
        Assert.Equal(stood, site.Weight.Value.Numbers());
    }

    [Fact]
    public void Merged_weights_are_bfloat16_while_they_last()
    {
        using Tried adapted = new(new LoraMethod { Rank = 4 }, "llama", Precision.NF4);
        adapted.Move();
        Tensor expected = adapted.Logits();
        using (adapted.Placement.Merge())
        {
            Assert.All(adapted.Backbone.Weights.Projections, site => Assert.Null(site.Weight.Packed));
            using var noGrad = no_grad();
            Assert.InRange(Golden.LargestDifference(Tried.Logits(adapted.Backbone), expected), 0, 0.05 * expected.abs().max().item<float>());
        }
        Assert.Equal(expected.Bits(), adapted.Logits().Bits());
    }

    [Fact]
    public void A_merged_checkpoint_is_of_bfloat16_numbers()
    {
        using TemporaryFolder source = new TemporaryFolder().With(Golden.Backbone("llama")), folder = new();
        BitsAndBytesFolder.Quantize(source, nested: true);
        using Backbone backbone = BackboneLoader.Load(source.Path, Devices.Cpu, Precision.NF4);
        AdapterPlacement placement = new(backbone, seed: 5);
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & Sites.Query) != 0))
            placement.Place((AdapterMethod)new LoraMethod { Rank = 2 }, site);
        using (placement.BuildArena())
            placement.MergeInto(folder.Path);
        using Backbone merged = BackboneLoader.Load(folder.Path, CPU, Precision.BFloat16), unadapted = BackboneLoader.Load(source.Path, CPU, Precision.NF4);
        using var noGrad = no_grad();
        Assert.Equal(Tried.Logits(unadapted).Bits(), Tried.Logits(merged).Bits()); // a fresh adapter adds nothing
        Assert.False(ModelConfig.Open(folder.Path).Has("quantization_config"));
    }

    [Fact]
    public void A_second_pass_leaves_no_tensor_behind_and_disposing_frees_all()
    {
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (Tried adapted = new(new LoraMethod { Rank = 2 }, "llama", Precision.NF4))
        {
            Pass();
            long once = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            Pass();
            Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, long.MinValue, once); // fewer where the garbage collector came by

            void Pass()
            {
                using var step = NewDisposeScope();
                Adapted.Window(Adapted.Examples(2), 2).Pass(adapted.Arena, adapted.Backbone.Loss);
            }
        }
        Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, long.MinValue, before);
    }

    /// <summary>Losses of both passes of five steps, and what was trained.</summary>
    private static float[] Train(string folder, Precision precision, double dropout, Action<Backbone> look)
    {
        using var scope = NewDisposeScope();
        using var backbone = (CausalLM)BackboneLoader.Load(folder, Devices.Cpu, precision);
        look(backbone);
        AdapterPlacement placement = new(backbone, seed: 3);
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0))
            placement.Place((AdapterMethod)new LoraMethod { Rank = 4, Alpha = 8, Dropout = dropout, Bias = dropout > 0 ? LoraBiasTraining.All : LoraBiasTraining.None }, site);
        using Arena arena = placement.BuildArena();
        using Ranking ranking = new(arena, Sites.None);
        using AdamW optimizer = new(arena) { LearningRate = 1e-2 };
        optimizer.Schedule(1);
        placement.Training = true;
        List<float> losses = [];
        for (int step = 0; step < 5; step++)
        {
            Window<TokenBatch> window = Adapted.Window(Adapted.Examples(4, seed: step), 2, step);
            losses.Add(window.Pass(arena, backbone.Loss).item<float>());
            using (arena.Climb(ranking.Sharpest(3), 0.05))
                losses.Add(window.Pass(arena, backbone.Loss).item<float>());
            optimizer.Step();
        }
        return [.. losses, .. arena.Values.Numbers()];
    }

    public void Dispose() => scope.Dispose();
}
