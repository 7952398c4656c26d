using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

/// <summary>What a peft folder says of adapters on a part of the two towers.</summary>
[Trait("Category", Golden.Category)]
public sealed class QwenVlAdapters
{
    [Theory]
    [InlineData("model.language_model.", Sites.AllLinear)]
    [InlineData("model.language_model.", Sites.Query | Sites.Value)]
    [InlineData("model.visual.", Sites.AllLinear)]
    [InlineData("model.visual.blocks.1.", Sites.AllLinear)]
    [InlineData("model.visual.merger.", Sites.AllLinear)]
    [InlineData("model.", Sites.FeedForward)]
    [InlineData("model.", Sites.Output)]
    public void A_folder_means_the_sites_it_was_written_for(string under, Sites sites)
    {
        using TemporaryFolder folder = new();
        using var backbone = QwenVlCase.Load();
        AdapterPlacement placement = new(backbone, seed: 3);
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & sites) != 0 && site.Module.StartsWith(under, StringComparison.Ordinal)))
            placement.Place(new LoraMethod { Rank = 2 }, site.Module);
        placement.Save(folder.Path);
        using var other = QwenVlCase.Load();
        AdapterPlacement read = PeftFolder.Place(other, folder.Path);
        Assert.NotEmpty(read.Placed);
        Assert.Equal(placement.Placed.Select(pair => pair.Site.Module), read.Placed.Select(pair => pair.Site.Module));
    }

    /// <summary>peft knows modules that carry no adapter: "0" would name the first block as well, "proj" the patch embedding.</summary>
    [Fact]
    public void Targets_name_no_other_module()
    {
        using TemporaryFolder folder = new();
        using var backbone = QwenVlCase.Load();
        AdapterPlacement placement = new(backbone, seed: 3);
        foreach (Projection site in backbone.Weights.Projections.Where(site => site.Module.StartsWith("model.visual.merger.", StringComparison.Ordinal) || site.Module.EndsWith(".proj", StringComparison.Ordinal)))
            placement.Place(new LoraMethod { Rank = 2 }, site.Module);
        placement.Save(folder.Path);
        Assert.Equal(["attn.proj", "mlp.0", "mlp.2"], AdapterConfig.Read(folder.Path).Texts("target_modules").Order());
    }

    [SkippableFact]
    public void An_adapter_trained_under_transformers_4_is_read()
    {
        string golden = Golden.Adapter("lora_qwen2_5_vl");
        Skip.IfNot(Directory.Exists(golden), $"{Golden.Folder} has no adapter on Qwen 2.5 VL");
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new TemporaryFolder().With(golden);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(golden, "adapter_model.safetensors"));
        SafetensorsWriter.Write(folder.File("adapter_model.safetensors"), file.Entries.Keys.ToDictionary(
            name => name.Replace("model.language_model.", "model.", StringComparison.Ordinal).Replace("model.model.visual.", "model.visual.", StringComparison.Ordinal), file.Read));
        using var backbone = QwenVlCase.Load();
        AdapterPlacement placement = PeftFolder.Place(backbone, folder.Path);
        Assert.Equal(file.Entries.Count, placement.Tensors.Count);
        Assert.All(placement.Tensors, (TrainableTensor tensor) => Assert.Equal(0, Golden.LargestDifference(tensor.Value, file.Read($"base_model.model.{tensor.Name}"))));
    }
}
