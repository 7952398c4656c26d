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

    [Theory]
    [InlineData("CausalLM", "mistral", "Lora", "lm_head")]
    [InlineData("CausalLM", "opt", "Lora", "embed")] // a head tied to the embedding
    [InlineData("SequenceClassification", "roberta", "Lora", "classifier")]
    [InlineData("ImageTextContrastive", "clip", "Lora(Towers = Towers.All)", "embed")]
    public void In_four_bits_the_linear_layers_take_little_more_than_half_a_byte_a_number(string task, string backbone, string adapter, string inFull)
    {
        EmittedPlan plan = new(task, backbone, $"[{adapter}, Training(Precision = Precision.NF4)]");
        (long[] linear, long[] others) = Parted(backbone, name => name.EndsWith(".weight", StringComparison.Ordinal) && !name.Contains(inFull, StringComparison.Ordinal) && !name.Contains("embed", StringComparison.Ordinal));
        double perNumber = 0.5 + 1.0 / 64 + 4.0 / (64 * 256);
        long scaleBlocks = linear.Length * (256 + 4); // at most: a last block of scales is filled up
        Assert.InRange(plan["WeightBytes"] - 2 * others.Sum(), perNumber * linear.Sum(), perNumber * linear.Sum() + scaleBlocks);
        Assert.InRange(plan["UnpackedBytes"], 2 * linear.Max(), 2 * 4 * linear.Max()); // query, key, value and output at most, or gate and up
        Assert.Equal(plan["MemoryBytes"], plan["WeightBytes"] + plan["UnpackedBytes"] + plan["ArenaBytes"] + plan["OptimizerBytes"] + plan["ActivationBytes"] + plan["LogitBytes"]);
    }

    /// <summary>Numbers in a golden checkpoint, by the header of its file.</summary>
    private static long InCheckpoint(string backbone) => Parted(backbone, _ => false).Others.Sum();

    /// <summary>The numbers of each tensor of a golden checkpoint: of matrices that are chosen by name, and of what is left.</summary>
    private static (long[] Chosen, long[] Others) Parted(string backbone, Func<string, bool> choose)
    {
        byte[] file = File.ReadAllBytes(Repository.PathOf($"tests/Golden/backbones/{backbone}/model.safetensors"));
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(sizeof(ulong), (int)BinaryPrimitives.ReadUInt64LittleEndian(file)));
        var tensors = header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__")
            .Select(entry => (entry.Name, Shape: entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray())).ToLookup(tensor => choose(tensor.Name) && tensor.Shape.Length is 2, tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
        return ([.. tensors[true]], [.. tensors[false]]);
    }
}
