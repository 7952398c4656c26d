using System.Text.Json;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>What the plan counts where layers keep their inputs alone.</summary>
public sealed class RecomputedPlanTests
{
    private const int Batch = 3, Length = 10;

    [Fact]
    public void Another_layer_adds_its_input_and_no_more()
    {
        using JsonDocument config = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests/Golden/backbones/llama/config.json")));
        long hidden = config.RootElement.GetProperty("hidden_size").GetInt64();
        long all = Plan("CausalLM", "llama", "Lora(Rank = 2)")["ActivationBytes"], upper = Plan("CausalLM", "llama", "Lora(Rank = 2, Layers = \"1..\")")["ActivationBytes"];
        Assert.Equal(Batch * Length * hidden * sizeof(float), all - upper);
    }

    [Theory]
    [InlineData("CausalLM", "opt", "Lora(Rank = 2)")]
    [InlineData("SequenceClassification", "roberta", "Lora(Rank = 2)")]
    [InlineData("ImageClassification", "vit", "Lora(Rank = 2)")]
    [InlineData("ImageTextContrastive", "clip", "Lora(Rank = 2, Towers = Towers.All)")]
    [InlineData("ImageTextToText", "qwen2_5_vl", "Lora(Rank = 2, Towers = Towers.All)")]
    public void It_is_less_than_all_by_what_the_run_is_told(string task, string backbone, string adapter)
    {
        EmittedPlan everything = Plan(task, backbone, adapter, checkpointing: false), recomputed = Plan(task, backbone, adapter);
        Assert.InRange(recomputed["ActivationBytes"], 1, everything["ActivationBytes"] / 2);
        Assert.Equal(everything["ActivationBytes"] - everything["Recomputable"], recomputed["ActivationBytes"]);
        Assert.Equal(everything["MemoryBytes"] - everything["Recomputable"], recomputed["MemoryBytes"]);
    }

    private static EmittedPlan Plan(string task, string backbone, string adapter, bool checkpointing = true) =>
        new(task, backbone, $"[{adapter}]\n[Training(BatchSize = {Batch}, MaxLength = {Length}, Checkpointing = {(checkpointing ? "true" : "false")})]");
}
