using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Diagnostics;

/// <summary>The squiggle stands under what is wrong, and pragma silences it.</summary>
public sealed class PlaceTests
{
    [Theory]
    [InlineData("""[Lora(Rank = 8, TargetModules = ["q_proj", "v_prj"])]""", "FPO1001", "\"v_prj\"")]
    [InlineData("""[Lora(Rank = 8, TargetModules = new[] { "q_prj", "v_proj" })]""", "FPO1001", "\"q_prj\"")]
    [InlineData("""[Lora(Rank = 900)]""", "FPO1005", "900")]
    [InlineData("""[Lora(Rank = 8, Layers = "4")]""", "FPO1004", "\"4\"")]
    [InlineData("""[Lora(Sites = Sites.Gate)]""", "FPO1002", "Sites.Gate")]
    public void Findings_stand_at_the_argument(string adapter, string id, string squiggle)
    {
        Diagnostic found = Assert.Single(Recipe(adapter).Analyze());
        Assert.Equal(id, found.Id);
        Assert.Equal(squiggle, found.Location.SourceTree!.GetText().ToString(found.Location.SourceSpan));
    }

    [Fact]
    public void A_missing_attribute_is_reported_at_the_class() => Assert.Equal("R", Squiggle(Assert.Single(Recipe("").Analyze())));

    [Fact]
    public void A_second_of_a_kind_is_reported_at_the_second() =>
        Assert.Equal("Sam", Squiggle(Assert.Single(Recipe("[Lora]\n[FlatPO]\n[Sam]").Analyze())));

    [Fact]
    public void An_unknown_backbone_is_reported_at_its_name() =>
        Assert.Equal("\"facebook/opt-125m-x\"", Squiggle(Assert.Single(Recipe("[Lora]").Edited("opt-125m", "opt-125m-x").Analyze())));

    [Fact]
    public void Pragma_silences_a_warning()
    {
        Project warned = Recipe("[Lora]\n[FlatPO(Rho = 0)]");
        Assert.Equal("FPO2011", Assert.Single(warned.Analyze()).Id);
        Assert.Empty(warned.Edited("[FlatPO(Rho = 0)]", "#pragma warning disable FPO2011\n[FlatPO(Rho = 0)]\n#pragma warning restore FPO2011").Analyze());
    }

    [Theory]
    [InlineData("error", DiagnosticSeverity.Error)]
    [InlineData("suggestion", DiagnosticSeverity.Info)]
    [InlineData("none", null)]
    public void Editorconfig_sets_the_severity(string severity, DiagnosticSeverity? expected)
    {
        Project configured = Recipe("[Lora]\n[FlatPO(Rho = 0)]").Configured($"[*.cs]\ndotnet_diagnostic.FPO2011.severity = {severity}");
        Assert.Equal(expected, configured.Analyze().SingleOrDefault()?.Severity);
    }

    [Theory]
    [InlineData("Sites = Sites.Head", "lm_head", "model.decoder.embed_tokens")]
    [InlineData("Sites = Sites.Embedding", "model.decoder.embed_tokens", "lm_head")]
    [InlineData("Sites = Sites.Query, ModulesToSave = [\"lm_head\"]", "lm_head", "model.decoder.embed_tokens")]
    public void Either_end_of_a_tied_weight_leaves_the_recipe_without_Merge(string settings, string module, string other)
    {
        Project recipe = Recipe($"[Lora({settings})]");
        Assert.StartsWith($"'{module}' is tied to {other}: ", Assert.Single(recipe.Analyze(), found => found.Id == "FPO1014").GetMessage(), StringComparison.Ordinal);
        Assert.Contains($"// There is no Merge: {module} is tied to {other}.", recipe.Generate().Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Lora", 2048)]
    [InlineData("Lora]\n[PromptTuning(VirtualTokens = 7)", 2041)]
    [InlineData("PrefixTuning(VirtualTokens = 30)", 2018)]
    public void Virtual_tokens_take_positions_of_a_text(string adapters, int allowed)
    {
        Assert.Empty(Recipe($"[{adapters}]\n[Training(MaxLength = {allowed})]").Analyze());
        Diagnostic found = Assert.Single(Recipe($"[{adapters}]\n[Training(MaxLength = {allowed + 1})]").Analyze());
        Assert.Equal(("FPO3006", $"MaxLength = {allowed + 1} is more than 'facebook/opt-125m' has positions for; allowed is at most {allowed}"), (found.Id, found.GetMessage()));
    }

    [Fact]
    public void Messages_name_the_value_the_nearest_and_the_allowed()
    {
        Diagnostic module = Assert.Single(Recipe("""[Lora(TargetModules = ["v_prj"])]""").Analyze());
        Assert.Equal("The opt backbone has no module 'v_prj'; nearest is 'v_proj' (of embed_tokens, k_proj, v_proj, q_proj, out_proj, fc1, fc2, lm_head)", module.GetMessage());
        Diagnostic rank = Assert.Single(Recipe("[Lora(Rank = 900)]").Analyze());
        Assert.Equal("Rank = 900 is out of bounds at model.decoder.layers.{layer}.self_attn.v_proj [768, 768]; allowed is at least 1 and at most 768", rank.GetMessage());
        Diagnostic unknown = Assert.Single(Recipe("""[Lora(RankPattern = ["layers.12.self_attn.v_proj=4"])]""").Analyze());
        Assert.Equal("No adapted module of the opt backbone is named 'layers.12.self_attn.v_proj'; nearest is 'layers.1.self_attn.v_proj' (adapted are v_proj, q_proj)", unknown.GetMessage());
        Diagnostic rest = Assert.Single(Recipe("""[Lora(Rank = 900, Alpha = 900, RankPattern = ["v_proj=8"])]""").Analyze());
        Assert.Equal("Rank = 900 is out of bounds at model.decoder.layers.{layer}.self_attn.q_proj [768, 768]; allowed is at least 1 and at most 768", rest.GetMessage());
        Assert.Empty(Recipe("""[Lora(Rank = 900, Alpha = 900, RankPattern = ["v_proj=8", "layers.*=768"])]""").Analyze()); // no module is left for the rank itself
        Diagnostic backbone = Assert.Single(Recipe("[Lora]").Edited("opt-125m", "opt-125").Analyze());
        Assert.Contains("<FlatPOBackbone Include=\"facebook/opt-125/config.json\" />", backbone.GetMessage(), StringComparison.Ordinal);
        Assert.Contains("nearest is 'facebook/opt-125m'", backbone.GetMessage(), StringComparison.Ordinal);
    }

    private static string Squiggle(Diagnostic diagnostic) => diagnostic.Location.SourceTree!.GetText().ToString(diagnostic.Location.SourceSpan);

    private static Project Recipe(string attributes) => Project.Of($"using FlatPO.Recipes;\n[Recipe(TaskType.CausalLM)]\n[Backbone(\"facebook/opt-125m\")]\n{attributes}\n[AdamW]\npublic partial class R;");
}
