using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters.Lora;

/// <summary>Biases trained beside LoRA's factors where adapters sit in one layer alone.</summary>
public sealed class BiasTrainingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LoraMethod method = new() { Rank = 2, Bias = LoraBiasTraining.All, LearningRateRatio = 4 };

    [Theory]
    [InlineData("opt", Precision.Float32), InlineData("opt", Precision.BFloat16), InlineData("qwen2", Precision.BFloat16)]
    public void Begins_as_the_base(string backbone, Precision precision)
    {
        using Tried plain = new(null, backbone, precision), adapted = new(method, backbone, precision, layer: ".layers.1.");
        Assert.Equal(plain.Logits().Bits(), adapted.Logits().Bits());
    }

    [Fact]
    public void Every_bias_is_trained_once_under_pefts_name_for_it()
    {
        using Tried adapted = new(method, "opt", layer: ".layers.1.");
        IEnumerable<string> expected = adapted.Backbone.Weights.AllSites.Where(site => site.Parts.Any(own => own.Part == "bias")).Select(site => $"{site.Module}.{(site is Projection { Adapter: not null } ? "base_layer." : "")}bias");
        TrainableTensor[] biases = [.. adapted.Placement.Tensors.Where(tensor => tensor.Name.EndsWith("bias", StringComparison.Ordinal))];
        Assert.Equal(expected.Order(), biases.Select(tensor => tensor.Name).Order());
        Assert.Contains(biases, tensor => !tensor.Name.Contains("base_layer"));
        Assert.All(biases, tensor => Assert.Equal(4, tensor.LearningRateFactor));
        adapted.Placement.Save(folder.Path);
        Assert.Equal("all", AdapterConfig.Read(folder.Path).Text("bias"));
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("adapter_model.safetensors"));
        Assert.Equal(adapted.Placement.Tensors.Select(tensor => $"base_model.model.{tensor.Name}").Order(), file.Entries.Keys.Order());
    }

    [Fact]
    public void Each_gets_a_gradient()
    {
        using Tried adapted = new(method, "opt", layer: ".layers.1.");
        adapted.Move();
        using (adapted.Arena.Bind())
        using (Tensor loss = Tried.Logits(adapted.Backbone).square().mean())
            loss.backward();
        // a bias of the keys shifts all scores of a query alike, which softmax does not see
        Assert.All(adapted.Placement.Tensors.Where(tensor => tensor.Site != Sites.Key), tensor => Assert.True(tensor.Gradient.abs().max().item<float>() > 0, tensor.Name));
    }

    [Fact]
    public void They_come_back_from_their_folder_and_merge()
    {
        using Tried plain = new(null, "opt"), adapted = new(method, "opt", layer: ".layers.1.");
        adapted.Move();
        adapted.Placement.Save(folder.Path);
        Tensor expected = adapted.Logits();
        Assert.NotInRange(Golden.LargestDifference(plain.Logits(), expected), 0, 1e-3);
        using Backbone fresh = BackboneLoader.Load(Golden.Backbone("opt"), Devices.Cpu, Precision.Float32);
        AdapterPlacement placement = PeftFolder.Place(fresh, folder.Path);
        using Arena arena = placement.BuildArena();
        using (no_grad())
        using (arena.Bind())
            Assert.Equal(expected.Bits(), Tried.Logits(fresh).Bits());
        adapted.Placement.MergeInto(folder.File("merged"));
        using Backbone merged = BackboneLoader.Load(folder.File("merged"), Devices.Cpu, Precision.Float32);
        using (no_grad())
            Assert.InRange(Golden.LargestDifference(Tried.Logits(merged), expected), 0, 1e-4);
    }

    public void Dispose() => folder.Dispose();
}
