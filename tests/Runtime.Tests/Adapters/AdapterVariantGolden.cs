using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>Variants on layers with biases, as peft computes, differentiates and merges them.</summary>
[Trait("Category", Golden.Category)]
public sealed class AdapterVariantGolden : IDisposable
{
    private readonly Backbone backbone = BackboneLoader.Load(Golden.AdapterVariantBackbone, Devices.Cpu, Precision.Float32);

    public static TheoryData<string> Cases => ["lora_bias", "dora_rslora", "ia3"];

    [Theory, MemberData(nameof(Cases))]
    public void Gives_pefts_logits_and_gradients(string name)
    {
        using SafetensorsFile expected = Golden.Case(Golden.AdapterVariant(name));
        AdapterPlacement placement = PeftFolder.Place(backbone, Golden.AdapterVariant(name));
        using Arena arena = placement.BuildArena();
        using (arena.Bind())
        {
            Tensor logits = Logits(backbone, expected);
            Assert.InRange(Golden.LargestDifference(logits.detach(), expected.Read("logits")), 0, 1e-5);
            logits.square().mean().backward();
        }
        foreach (TrainableTensor tensor in placement.Tensors)
            Assert.InRange(Golden.LargestDifference(tensor.Gradient, expected.Read($"gradient.base_model.model.{tensor.Name}")), 0, 1e-5);
        Assert.Equal(expected.Entries.Keys.Count(key => key.StartsWith("gradient.", StringComparison.Ordinal)), placement.Tensors.Count);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Merges_as_peft(string name)
    {
        using TemporaryFolder folder = new();
        using SafetensorsFile expected = Golden.Case(Golden.AdapterVariant(name));
        AdapterPlacement placement = PeftFolder.Place(backbone, Golden.AdapterVariant(name));
        using Arena arena = placement.BuildArena();
        placement.MergeInto(folder.Path);
        using Backbone merged = BackboneLoader.Load(folder.Path, Devices.Cpu, Precision.Float32);
        using var noGrad = no_grad();
        Assert.InRange(Golden.LargestDifference(Logits(merged, expected), expected.Read("merged_logits")), 0, 1e-5);
    }

    private static Tensor Logits(Backbone backbone, SafetensorsFile inputs)
    {
        Tensor ids = inputs.Read("input_ids");
        return ((CausalLM)backbone).Logits(new TokenBatch(ids, inputs.Read("attention_mask"), ids, 0));
    }

    public void Dispose() => backbone.Dispose();
}
