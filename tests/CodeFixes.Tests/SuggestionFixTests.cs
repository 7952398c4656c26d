using FlatPO.Recipes.CodeFixes.Tests.Harness;
using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis.CodeActions;

namespace FlatPO.Recipes.CodeFixes.Tests;

/// <summary>The compiler's suggestion stands where the wrong argument stood.</summary>
public sealed class SuggestionFixTests
{
    private static readonly SuggestionFix Fix = new();

    [Theory]
    [InlineData("FPO1001", """[Lora(TargetModules = ["q_proj", "v_prj"]), AdamW]""", """[Lora(TargetModules = ["q_proj", "v_proj"]), AdamW]""", "v_proj")]
    [InlineData("FPO1001", """[Lora(TargetModules = new[] { "q_prj" /* first */, "lm_head" }), AdamW]""", """[Lora(TargetModules = new[] { "q_proj" /* first */, "lm_head" }), AdamW]""", "q_proj")]
    [InlineData("FPO1010", """[Lora(ModulesToSave = ["head"]), AdamW]""", """[Lora(ModulesToSave = ["lm_head"]), AdamW]""", "lm_head")]
    [InlineData("FPO1003", """[Lora(Layers = "40..50"), AdamW]""", """[Lora(Layers = "2..12"), AdamW]""", "2..12")]
    [InlineData("FPO1003", """[Lora(Layers = "8..16"), AdamW]""", """[Lora(Layers = "4..12"), AdamW]""", "4..12")]
    [InlineData("FPO1003", """[Lora(Layers = "^20..^16"), AdamW]""", """[Lora(Layers = "0..4"), AdamW]""", "0..4")]
    [InlineData("FPO1003", """[Lora(Layers = "..16"), AdamW]""", """[Lora(Layers = ".."), AdamW]""", "..")]
    [InlineData("FPO1003", """[Lora(Layers = "4..4"), AdamW]""", """[Lora(Layers = ".."), AdamW]""", "..")]
    [InlineData("FPO1005", "[Lora(Rank = 5000), AdamW]", "[Lora(Rank = 768), AdamW]", "768")]
    [InlineData("FPO1005", "[Lora(Rank = 1 - 2), AdamW]", "[Lora(Rank = 8), AdamW]", "8")]
    [InlineData("FPO1006", "[Lora(Alpha = 0), AdamW]", "[Lora(Alpha = 8), AdamW]", "8")]
    [InlineData("FPO1007", "[Lora(Dropout = 5), AdamW]", "[Lora(Dropout = 0), AdamW]", "0")]
    [InlineData("FPO2001", "[Lora, FlatPO(Rho = -1), AdamW]", "[Lora, FlatPO(Rho = 0.05), AdamW]", "0.05")]
    [InlineData("FPO2002", "[Lora, FlatPO(Fraction = 5), AdamW]", "[Lora, FlatPO(Fraction = 1), AdamW]", "1")]
    [InlineData("FPO2002", "[Lora, FlatPO(Fraction = 0), AdamW]", "[Lora, FlatPO(Fraction = 0.05), AdamW]", "0.05")]
    [InlineData("FPO2003", "[Lora, AdamW(LearningRate = -1e-4)]", "[Lora, AdamW(LearningRate = 0.001)]", "0.001")]
    [InlineData("FPO2004", "[Lora, AdamW(WeightDecay = -1)]", "[Lora, AdamW(WeightDecay = 0.01)]", "0.01")]
    [InlineData("FPO2005", "[Lora, AdamW(Beta2 = 1)]", "[Lora, AdamW(Beta2 = 0.999)]", "0.999")]
    [InlineData("FPO2006", "[Lora, AdamW(Epsilon = 0)]", "[Lora, AdamW(Epsilon = 1e-8)]", "1e-8")]
    [InlineData("FPO2007", "[Lora, AdamW, CosineSchedule(WarmupRatio = 100)]", "[Lora, AdamW, CosineSchedule(WarmupRatio = 1)]", "1")]
    [InlineData("FPO2008", "[Lora, AdamW, Training(MaxGradientNorm = double.NaN)]", "[Lora, AdamW, Training(MaxGradientNorm = 0)]", "0")]
    [InlineData("FPO3001", "[Lora, AdamW, Training(Epochs = 0)]", "[Lora, AdamW, Training(Epochs = 1)]", "1")]
    [InlineData("FPO3002", "[Lora, AdamW, Training(BatchSize = 0)]", "[Lora, AdamW, Training(BatchSize = 8)]", "8")]
    [InlineData("FPO3003", "[Lora, AdamW, Training(GradientAccumulation = 0)]", "[Lora, AdamW, Training(GradientAccumulation = 1)]", "1")]
    [InlineData("FPO3004", "[Lora, AdamW, Training(MaxLength = -1)]", "[Lora, AdamW, Training(MaxLength = 0)]", "0")]
    [InlineData("FPO3005", "[Lora, AdamW, Training(Seed = -1)]", "[Lora, AdamW, Training(Seed = 0)]", "0")]
    [InlineData("FPO3006", "[Lora, AdamW, Training(MaxLength = /* long */ 4096)]", "[Lora, AdamW, Training(MaxLength = /* long */ 2048)]", "2048")]
    public async Task An_argument_changes_to_what_is_allowed(string id, string before, string after, string title)
    {
        Editor editor = Editor.OfRecipe(before);
        CodeAction action = Assert.Single(await editor.Offered(Fix, id));
        Assert.Equal($"Change to '{title}'", action.Title);
        Editor cured = await editor.After(action);
        Assert.Equal(Editor.Recipe(after), await cured.Text());
        Assert.DoesNotContain(id, cured.Ids);
    }

    [Fact]
    public async Task A_misspelt_model_changes_to_the_nearest_of_the_catalogue()
    {
        Editor editor = Editor.Of(Editor.Recipe("[Lora, AdamW]").Replace("opt-125m", "opt-125"));
        Editor cured = await editor.After(Fix, "FPO0007");
        Assert.Equal(Editor.Recipe("[Lora, AdamW]"), await cured.Text());
        Assert.Empty(cured.Ids);
    }

    [Fact]
    public async Task A_folder_is_no_misspelt_model() =>
        Assert.Empty(await Editor.Of(Editor.Recipe("[Lora, AdamW]").Replace("facebook/opt-125m", "models/mine")).Offered(Fix, "FPO0007"));

    [Theory]
    [InlineData("float", "3", "Maximum = \"2.5\"", "2.5f")]
    [InlineData("int", "3", "Maximum = \"2.5\"", "2")]
    [InlineData("int", "1", "Minimum = 1.5", "2")]
    [InlineData("double", "-1", "Minimum = 0.5", "0.5")]
    public async Task A_users_own_bound_is_put_in_the_propertys_type(string type, string value, string bounds, string allowed)
    {
        string source = $$"""
            {{Editor.Recipe($"[Lora, AdamW, StepSchedule(Size = {value})]")}}
            [RealizedBy(typeof(StepSchedule))]
            public sealed class StepScheduleAttribute : ScheduleAttribute
            {
                [Bounds("ACME0001", {{bounds}})]
                public {{type}} Size { get; set; }
            }

            public sealed class StepSchedule : FlatPO.Recipes.Optimization.LearningRateSchedule
            {
                public {{type}} Size { get; init; }

                protected override double AfterWarmup(double progress) => 1;
            }
            """;
        Editor cured = await Editor.Of(source).After(Fix, "FPO0012");
        Assert.Equal(source.Replace($"Size = {value}", $"Size = {allowed}"), await cured.Text());
        Assert.Empty(cured.Ids);
    }

    [Fact]
    public async Task A_bound_without_a_nearest_value_is_the_users_to_meet() =>
        Assert.Empty(await Editor.OfRecipe("""
            [Lora, AdamW, StepSchedule(Size = 0)]
            public partial class R;
            [RealizedBy(typeof(StepSchedule))]
            public sealed class StepScheduleAttribute : ScheduleAttribute { [Bounds("ACME0001", Above = 0)] public double Size { get; set; } }
            public sealed class StepSchedule : FlatPO.Recipes.Optimization.LearningRateSchedule
            {
                public double Size { get; init; }
                protected override double AfterWarmup(double progress) => 1;
            }
            """).Offered(Fix, "FPO0012"));

    [Fact]
    public async Task A_default_that_does_not_fit_has_no_argument_to_change()
    {
        string config = Repository.Read("tests/Golden/backbones/opt/config.json");
        int width = System.Text.Json.JsonDocument.Parse(config).RootElement.GetProperty("hidden_size").GetInt32();
        Project narrow = Project.Of(Editor.Recipe("[Lora, AdamW]").Replace("facebook/opt-125m", "narrow"))
            .Showing(new ShownFile("/src/narrow/config.json", config.Replace($"\"hidden_size\": {width}", "\"hidden_size\": 4")));
        Editor editor = new(narrow);
        Assert.Equal(["FPO1005"], editor.Ids);
        Assert.Empty(await editor.Offered(Fix, "FPO1005"));
    }

    [Fact]
    public async Task All_at_once_each_take_their_own()
    {
        Editor cured = await Editor.OfRecipe("""
            // where
            [Lora(TargetModules = [
                "q_prj", // query
                "v_prj", "lm_hed"])]
            [AdamW]
            """).AfterAll(Fix, "FPO1001");
        Assert.Equal(Editor.Recipe("""
            // where
            [Lora(TargetModules = [
                "q_proj", // query
                "v_proj", "lm_head"])]
            [AdamW]
            """), await cured.Text());
        Assert.DoesNotContain("FPO1001", cured.Ids);
    }
}
