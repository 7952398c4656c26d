using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>What virtual tokens cost is part of the estimate.</summary>
public sealed class VirtualTokenTests
{
    private const long Single = 4, Batch = 2;

    [Theory]
    [InlineData("CausalLM", "opt", "PromptTuning")]
    [InlineData("CausalLM", "qwen2", "PTuning")]
    [InlineData("SequenceClassification", "roberta", "PromptTuning")]
    public void A_token_of_a_prompt_costs_the_layers_what_a_token_of_the_text_does(string task, string backbone, string adapter)
    {
        EmittedPlan few = Plan(task, backbone, $"{adapter}(VirtualTokens = 2)", length: 38), many = Plan(task, backbone, $"{adapter}(VirtualTokens = 30)", length: 10);
        Assert.Equal(few["ActivationBytes"], many["ActivationBytes"]);
        Assert.Equal(few["LogitBytes"] * 10, many["LogitBytes"] * 38); // what is before a text predicts nothing, its last place excepted
        Assert.True(Plan(task, backbone, $"{adapter}(VirtualTokens = 2)", length: 10)["ActivationBytes"] < many["ActivationBytes"]);
    }

    [Theory]
    [InlineData("CausalLM", "opt")]
    [InlineData("CausalLM", "mistral")]
    public void A_place_of_a_prefix_costs_a_key_and_a_value_a_layer(string task, string backbone)
    {
        EmittedPlan few = Plan(task, backbone, "PrefixTuning(VirtualTokens = 2)", length: 10), many = Plan(task, backbone, "PrefixTuning(VirtualTokens = 12)", length: 10);
        long inOne = (many["TrainableParameters"] - few["TrainableParameters"]) / 10; // the keys and values of all layers
        Assert.Equal(10 * Batch * Single * inOne, many["ActivationBytes"] - few["ActivationBytes"]);
        Assert.Equal(few["LogitBytes"], many["LogitBytes"]);
    }

    [Theory]
    [InlineData("Deep = true, ")]
    [InlineData("")]
    public void A_visual_prompt_costs_what_as_many_patches_do(string deep)
    {
        const long Patches = 4 * 4 + 1; // of 32 × 32 pixels in patches of 8, and what stands first
        EmittedPlan few = new("ImageClassification", "vit", $"[VisualPrompt({deep}VirtualTokens = 3)]"), many = new("ImageClassification", "vit", $"[VisualPrompt({deep}VirtualTokens = 23)]");
        Assert.Equal(few["ActivationBytes"] / (Patches + 3), many["ActivationBytes"] / (Patches + 23));
    }

    [Fact]
    public void Only_the_tower_that_sees_it_pays()
    {
        string none = "[Lora(Sites = Sites.Query, Towers = Towers.All)]", seen = $"{none}\n[VisualPrompt(VirtualTokens = 17, Towers = Towers.Vision)]", read = "[Lora(Sites = Sites.Query, Towers = Towers.Language)]";
        long Kept(string adapters) => new EmittedPlan("ImageTextContrastive", "clip", adapters)["ActivationBytes"];
        long vision = Kept(none) - Kept(read); // of 17 positions
        Assert.Equal(Kept(none) + vision, Kept(seen));
    }

    private static EmittedPlan Plan(string task, string backbone, string adapter, int length) => new(task, backbone, $"[{adapter}]\n[Training(BatchSize = {Batch}, MaxLength = {length})]");
}
