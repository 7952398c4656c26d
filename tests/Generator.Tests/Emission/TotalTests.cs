using System.Buffers.Binary;
using System.Text.Json;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>The emitted totals against the numbers that the golden checkpoints hold.</summary>
public sealed class TotalTests
{
    [Theory]
    [InlineData("CausalLM", "qwen2", "Lora(Rank = 4, Sites = Sites.Query | Sites.Head)")] // a head tied to the embedding: the checkpoint has its weight once
    [InlineData("CausalLM", "qwen2", "Lora(Rank = 4, Sites = Sites.Embedding | Sites.Head)")]
    [InlineData("CausalLM", "opt", "Lora(Rank = 4, Sites = Sites.Embedding)")]
    [InlineData("CausalLM", "mistral", "Lora(Rank = 4, Sites = Sites.Embedding | Sites.Head)")] // a head of its own
    [InlineData("CausalLM", "qwen2", "LinearProbe")] // what is trained of a tied head parts from the embedding
    [InlineData("CausalLM", "llama", "PrefixTuning(PrefixProjection = true)")]
    [InlineData("CausalLM", "qwen2", "PTuning")]
    [InlineData("ImageClassification", "vit", "VisualPrompt(Deep = true)")]
    [InlineData("ImageTextContrastive", "clip", "VisualPrompt")]
    [InlineData("SequenceClassification", "roberta", "Bottleneck(Size = 8)")]
    public void What_is_trained_beside_the_backbone_is_added_to_it(string task, string backbone, string adapter)
    {
        EmittedPlan plan = new(task, backbone, $"[{adapter}]");
        Assert.Equal(InCheckpoint(backbone) + plan["TrainableParameters"], plan["TotalParameters"]);
        Assert.Equal(InCheckpoint(backbone) * sizeof(float), plan["WeightBytes"]);
    }

    [Theory]
    [InlineData("CausalLM", "llama", "LinearProbe")]
    [InlineData("CausalLM", "qwen3", "LnTuning")]
    [InlineData("CausalLM", "opt", "BitFit")]
    [InlineData("ImageClassification", "vit", "LinearProbe")]
    [InlineData("SequenceClassification", "roberta", "BitFit")]
    [InlineData("ImageTextContrastive", "clip", "LnTuning(Towers = Towers.All)")]
    public void What_is_trained_of_the_backbone_is_no_more_than_it_had(string task, string backbone, string adapter)
    {
        EmittedPlan plan = new(task, backbone, $"[{adapter}]");
        Assert.Equal(InCheckpoint(backbone), plan["TotalParameters"]);
        Assert.Equal(InCheckpoint(backbone) * sizeof(float), plan["WeightBytes"]);
        Assert.True(plan["TrainableParameters"] > 0);
    }

    /// <summary>Numbers in a golden checkpoint, by the header of its file.</summary>
    private static long InCheckpoint(string backbone)
    {
        byte[] file = File.ReadAllBytes(Repository.PathOf($"tests/Golden/backbones/{backbone}/model.safetensors"));
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(sizeof(ulong), (int)BinaryPrimitives.ReadUInt64LittleEndian(file)));
        return header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__")
            .Sum(entry => entry.Value.GetProperty("shape").EnumerateArray().Aggregate(1L, (product, size) => product * size.GetInt64()));
    }
}
