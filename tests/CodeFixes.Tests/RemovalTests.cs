using FlatPO.Recipes.CodeFixes.Tests.Harness;
using Microsoft.CodeAnalysis.CodeActions;

namespace FlatPO.Recipes.CodeFixes.Tests;

/// <summary>What is too many, or has no effect, goes; its neighbours and their comments stay.</summary>
public sealed class RemovalTests
{
    [Theory]
    [InlineData("[Lora, FlatPO, Sam, AdamW]", "[Lora, FlatPO, AdamW]", "Sam")]
    [InlineData("[Lora, AdamW, Sgd(Momentum = 0.9)]", "[Lora, AdamW]", "Sgd")]
    [InlineData("[Lora, AdamW]\n[CosineSchedule] // half a cosine\n// or\n[LinearSchedule] // a line\n", "[Lora, AdamW]\n[CosineSchedule] // half a cosine\n// or\n", "LinearSchedule")]
    [InlineData("[Lora, AdamW] [Sgd] // step", "[Lora, AdamW]  // step", "Sgd")]
    [InlineData("[Lora] [FlatPO] [Sam] [AdamW]", "[Lora] [FlatPO] [AdamW]", "Sam")]
    [InlineData("[Lora, AdamW, FlatPO]\n    [Sam(\n        Rho = 0.1)]\n", "[Lora, AdamW, FlatPO]\n", "Sam")]
    [InlineData("[Lora, AdamW]\n[FlatPO]\n[Sam, Training]", "[Lora, AdamW]\n[FlatPO]\n[Training]", "Sam")]
    [InlineData("[\n    Lora,\n    FlatPO, // the sharpest\n    Sam,    // all\n    AdamW]", "[\n    Lora,\n    FlatPO, // the sharpest\n    // all\n    AdamW]", "Sam")]
    [InlineData("[\n    Lora, AdamW, FlatPO, // the sharpest\n    Sam]", "[\n    Lora, AdamW, FlatPO // the sharpest\n    ]", "Sam")]
    public async Task The_second_of_a_kind_goes(string before, string after, string name) =>
        await Check(new SecondOfAKindFix(), "FPO0006", before, after, $"Remove [{name}]");

    [Theory]
    [InlineData("FPO1012", """[Lora(Rank = 4, Sites = Sites.AllLinear, TargetModules = ["q_proj"]), AdamW]""", """[Lora(Rank = 4, TargetModules = ["q_proj"]), AdamW]""", "Sites = Sites.AllLinear")]
    [InlineData("FPO1012", """[Lora(Sites = Sites.Query, /* only */ TargetModules = ["q_proj"]), AdamW]""", """[Lora(/* only */ TargetModules = ["q_proj"]), AdamW]""", "Sites = Sites.Query")]
    public async Task An_argument_without_effect_goes(string id, string before, string after, string argument) =>
        await Check(new IdleArgumentFix(), id, before, after, $"Remove '{argument}'");

    [Theory]
    [InlineData("[Training(Epochs = 2, MaxLength = 64)]", "[Training(Epochs = 2)]")]
    [InlineData("[Training(MaxLength = 64)]", "[Training]")]
    public async Task A_length_without_texts_goes(string before, string after)
    {
        Editor cured = await Editor.Of(Vit(before)).After(new IdleArgumentFix(), "FPO3007");
        Assert.Equal(Vit(after), await cured.Text());
        Assert.Empty(cured.Ids);

        static string Vit(string training) => $"using FlatPO.Recipes;\n[Recipe(TaskType.ImageClassification), Backbone(\"google/vit-base-patch16-224\"), Lora, AdamW]\n{training}\npublic partial class R;";
    }

    [Theory]
    [InlineData("[Lora]\n// flat\n[FlatPO(Rho = 0)]\n[AdamW]", "[Lora]\n// flat\n[AdamW]", "FlatPO", "AdamW")]
    [InlineData("[Lora, Sam(Rho = 0), Sgd]", "[Lora, Sgd]", "Sam", "Sgd")]
    public async Task A_policy_that_cannot_act_goes(string before, string after, string policy, string optimizer) =>
        await Check(new IdlePolicyFix(), "FPO2011", before, after, $"Remove [{policy}]: trains as {optimizer} alone");

    [Fact]
    public async Task All_seconds_go_at_once()
    {
        Editor cured = await Editor.OfRecipe("[Lora]\n[FlatPO, Sam, Sam(Rho = 0.1)]\n[Sgd]\n[AdamW]\n[CosineSchedule, LinearSchedule, Training]").AfterAll(new SecondOfAKindFix(), "FPO0006");
        Assert.Equal(Editor.Recipe("[Lora]\n[FlatPO]\n[Sgd]\n[CosineSchedule, Training]"), await cured.Text());
        Assert.Empty(cured.Ids);
    }

    private static async Task Check(Microsoft.CodeAnalysis.CodeFixes.CodeFixProvider fix, string id, string before, string after, string title)
    {
        Editor editor = Editor.OfRecipe(before);
        CodeAction action = Assert.Single(await editor.Offered(fix, id));
        Assert.Equal(title, action.Title);
        Editor cured = await editor.After(action);
        Assert.Equal(Editor.Recipe(after), await cured.Text());
        Assert.DoesNotContain(id, cured.Ids);
    }
}
