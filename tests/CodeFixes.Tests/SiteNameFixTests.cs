using FlatPO.Recipes.CodeFixes.Tests.Harness;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.CodeFixes.Tests;

/// <summary>Modules become sites where both mean the same.</summary>
public sealed class SiteNameFixTests
{
    private static readonly SiteNameFix Fix = new();

    [Theory]
    [InlineData("""["q_proj", "v_proj"]""", "Sites.Query | Sites.Value")]
    [InlineData("""new[] { "v_proj", "q_proj" }""", "Sites.Query | Sites.Value")]
    [InlineData("""["self_attn.k_proj"]""", "Sites.Key")]
    [InlineData("""["q_proj", "k_proj", "v_proj", "out_proj"]""", "Sites.Attention")]
    [InlineData("""["fc1", "fc2"]""", "Sites.FeedForward")]
    [InlineData("""["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]""", "Sites.AllLinear")]
    [InlineData("""["fc2", "k_proj"]""", "Sites.Key | Sites.Down")]
    public async Task Modules_change_to_the_names_of_their_sites(string modules, string sites)
    {
        Editor editor = Editor.OfRecipe($"[Lora(Rank = 4, TargetModules = {modules} /* where */), AdamW]");
        Assert.Equal(["FPO1021"], editor.Ids);
        Assert.Equal($"Change to 'Sites = {sites}'", Assert.Single(await editor.Offered(Fix, "FPO1021")).Title);
        Editor cured = await editor.After(Fix, "FPO1021");
        Assert.Equal(Editor.Recipe($"[Lora(Rank = 4, Sites = {sites} /* where */), AdamW]"), await cured.Text());
        Assert.Empty(cured.Ids);
    }

    [Fact]
    public async Task The_enum_is_qualified_where_its_name_alone_is_not_known()
    {
        string source = Editor.Recipe("""[Lora(TargetModules = ["q_proj"]), AdamW]""").Replace("using FlatPO.Recipes;\n", "").Replace("[Recipe(TaskType", "[FlatPO.Recipes.Recipe(FlatPO.Recipes.TaskType")
            .Replace("Backbone(", "FlatPO.Recipes.Backbone(").Replace("Lora(", "FlatPO.Recipes.Lora(").Replace("AdamW", "FlatPO.Recipes.AdamW");
        Editor cured = await Editor.Of(source).After(Fix, "FPO1021");
        Assert.Equal(source.Replace("""TargetModules = ["q_proj"]""", "Sites = FlatPO.Recipes.Sites.Query"), await cured.Text());
        Assert.Empty(cured.Ids);
    }

    [Fact]
    public void Modules_that_are_half_of_a_site_are_not_reported()
    {
        Project project = Project.Of("""
            using FlatPO.Recipes;
            [assembly: DeclaresBackbone(typeof(Twins))]
            [Recipe(TaskType.CausalLM), Backbone("twins"), Lora(TargetModules = ["left"]), AdamW]
            public partial class R;

            [BackboneFamily("twins", TaskType.CausalLM)]
            [Site("layers.{layer}.left", Sites.Query, In = "hidden_size", Out = "hidden_size")]
            [Site("layers.{layer}.right", Sites.Query, In = "hidden_size", Out = "hidden_size")]
            public sealed class Twins;
            """).Showing(new ShownFile("/src/twins/config.json", """{ "model_type": "twins", "hidden_size": 8, "num_hidden_layers": 2 }"""));
        Assert.Empty(new Editor(project).Ids);
        Assert.Equal(["FPO1021"], new Editor(project.Edited("""["left"]""", """["left", "right"]""")).Ids);
    }

    [Fact]
    public async Task All_at_once()
    {
        string recipe = """[Lora(TargetModules = ["q_proj"]), AdamW]""", two = Editor.Recipe(recipe) + Editor.Recipe(recipe).Replace("using FlatPO.Recipes;\n", "").Replace("class R", "class S");
        Editor cured = await Editor.Of(two).AfterAll(Fix, "FPO1021");
        Assert.Equal(two.Replace("""TargetModules = ["q_proj"]""", "Sites = Sites.Query"), await cured.Text());
        Assert.Empty(cured.Ids);
    }
}
