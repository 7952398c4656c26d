using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Tests.Adapters;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>Layers that keep their inputs alone, against layers that keep everything: the same loss and the same gradients, bit for bit.</summary>
[Trait("Category", Golden.Category)]
public sealed class RecomputedLayers
{
    public static TheoryData<string> Families => [.. AllowedPairs.Backbones];

    [Theory, MemberData(nameof(Families))]
    public void Every_method_gets_the_same_gradients(string family)
    {
        foreach (string method in AllowedPairs.Methods.Where(method => AllowedPairs.Answer(method, family) == "yes"))
        {
            using Backbone backbone = BackboneLoader.Load(Golden.Backbone(family), Devices.Cpu, Precision.Float32);
            AssertSame(backbone, method, out bool draws);
            Assert.False(draws, method);
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void Dropout_of_layers_and_adapters_is_the_same_both_times(string family)
    {
        using TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone(family));
        JsonObject config = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        DropIn(config);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        using Backbone backbone = BackboneLoader.Load(folder.Path, Devices.Cpu, Precision.Float32);
        AssertSame(backbone, "Lora(Rank = 2, Dropout = 0.3, Sites = Sites.AllLinear)", out bool draws);
        Assert.True(draws);
    }

    [Theory, MemberData(nameof(Families))]
    public void Narrower_numbers_get_the_same_gradients(string family)
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(family), Devices.Cpu, Precision.BFloat16);
        AssertSame(backbone, "Lora(Rank = 2, Sites = Sites.AllLinear)", out _);
    }

    [Fact]
    public void Weights_of_4_bits_get_the_same_gradients()
    {
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone("llama3"), Devices.Cpu, Precision.NF4);
        AssertSame(backbone, "Lora(Rank = 2, Sites = Sites.AllLinear)", out _);
    }

    [Fact]
    public void Layers_below_the_first_trained_one_are_run_as_they_are()
    {
        using Tried upper = new(new Recipes.Adapters.Lora.LoraMethod { Rank = 2 }, "opt", layer: "layers.3.");
        Compare(upper.Backbone, upper.Placement, upper.Arena, out _);
    }

    [Fact]
    public void A_pass_leaves_no_tensor_behind()
    {
        using Tried tried = new(new Recipes.Adapters.Lora.LoraMethod { Rank = 2, Dropout = 0.2 }, "llama");
        tried.Placement.Training = true;
        Pass(tried.Backbone, tried.Arena, recompute: true, out _);
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Pass(tried.Backbone, tried.Arena, recompute: true, out _);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [SkippableTheory, MemberData(nameof(Families))]
    public void Gradients_and_dropout_are_the_same_on_a_gpu(string family)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        using Backbone backbone = BackboneLoader.Load(Golden.Backbone(family), Devices.Cuda(), Precision.Float32);
        AdapterPlacement placement = new FreshMethod("Lora(Rank = 2, Dropout = 0.3, Sites = Sites.AllLinear)").On(backbone);
        using Arena arena = placement.BuildArena();
        Move(arena);
        placement.Training = true;
        (float loss, float[] gradient) = Pass(backbone, arena, recompute: false, out _);
        (float again, float[] recomputed) = Pass(backbone, arena, recompute: true, out bool draws);
        Assert.True(draws);
        Assert.Equal(loss, again, 1e-4f * Math.Abs(loss)); // kernels that add in any order round otherwise; another mask would be far off
        double scale = gradient.Max(Math.Abs);
        Assert.All(gradient.Zip(recomputed), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-4 * scale));
    }

    private static void AssertSame(Backbone backbone, string method, out bool draws)
    {
        AdapterPlacement placement = new FreshMethod(method).On(backbone);
        using Arena arena = placement.BuildArena();
        Move(arena);
        placement.Training = true;
        Compare(backbone, placement, arena, out draws, method);
    }

    private static void Compare(Backbone backbone, AdapterPlacement placement, Arena arena, out bool draws, string method = "")
    {
        (float loss, float[] gradient) = Pass(backbone, arena, recompute: false, out _);
        (float again, float[] recomputed) = Pass(backbone, arena, recompute: true, out draws);
        Assert.Equal(BitConverter.SingleToInt32Bits(loss), BitConverter.SingleToInt32Bits(again));
        string[] other = [.. placement.Tensors.Where((_, i) => !Of(gradient, i).SequenceEqual(Of(recomputed, i))).Select(tensor => tensor.Name)];
        Assert.True(other.Length == 0, $"{method}: {string.Join(", ", other)}");
        Assert.Contains(gradient, number => number != 0);

        IEnumerable<int> Of(float[] flat, int index) =>
            flat.Skip((int)arena.Tensors.Take(index).Sum(tensor => tensor.Count)).Take((int)arena.Tensors[index].Count).Select(BitConverter.SingleToInt32Bits);
    }

    private static (float Loss, float[] Gradient) Pass(Backbone backbone, Arena arena, bool recompute, out bool draws)
    {
        manual_seed(3).Dispose();
        if (backbone.Device.type == DeviceType.CUDA)
            cuda.manual_seed_all(3);
        using var scope = NewDisposeScope();
        using Recomputation? recomputation = recompute ? Recomputation.Open() : null;
        using GradientPass pass = GradientPass.Open();
        using var live = arena.Bind();
        arena.ZeroGradient();
        Tensor loss = backbone.Probe()!.to_type(ScalarType.Float32).Squared().sum();
        pass.Backward(loss);
        draws = recomputation?.DrawsAtRandom ?? false;
        return (loss.detach().cpu().item<float>(), arena.Gradient.cpu().Numbers());
    }

    // Away from where some gradients are zero.
    private static void Move(Arena arena)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using Generator random = new(11);
        arena.Values.add_(randn([arena.Count], generator: random).mul(0.05).to(arena.Device), 1);
    }

    private static void DropIn(JsonObject config)
    {
        foreach ((string key, JsonNode? value) in config.ToArray())
            if (value is JsonObject section)
                DropIn(section);
            else if (key.Contains("drop", StringComparison.Ordinal) && value is JsonValue)
                config[key] = 0.2;
    }
}
