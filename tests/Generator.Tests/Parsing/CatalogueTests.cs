using FlatPO.Recipes.Generator.Model;
using FlatPO.Recipes.Generator.Parsing;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Parsing;

public sealed class CatalogueTests
{
    public static TheoryData<string> Ids => [.. Catalogue.All.Select(model => model.Path)];

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_model_makes_a_recipe(string id)
    {
        string task = Assert.Single(Catalogue.All, model => model.Path == id).Find("model_type")!.Text switch
        {
            "vit" => "ImageClassification",
            "qwen2_5_vl" => "ImageTextToText",
            _ => "CausalLM",
        };
        Project project = Project.Of($"using FlatPO.Recipes;\n[Recipe(TaskType.{task})]\n[Backbone(\"{id}\")]\n[Lora(Sites = Sites.AllLinear | Sites.Head)]\n[AdamW]\npublic partial class R;").Showing();
        Assert.DoesNotContain("has errors", project.Generate().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shown_folder_wins_over_the_catalogue()
    {
        const string Source = "using FlatPO.Recipes;\n[Recipe(TaskType.CausalLM)]\n[Backbone(\"facebook/opt-125m\")]\n[Lora]\n[AdamW]\npublic partial class R;";
        string tiny = Repository.Read("tests/Golden/backbones/opt/config.json");
        Assert.Contains("12 layers", Project.Of(Source).Generate().Text, StringComparison.Ordinal);
        Assert.Contains("4 layers", Project.Of(Source).Showing(new ShownFile(@"C:\src\facebook\opt-125m\config.json", tiny)).Generate().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Known_sizes()
    {
        ConfigFacts qwen = Assert.Single(Catalogue.All, model => model.Path == "Qwen/Qwen2.5-1.5B");
        Assert.Equal((1536, 28), ((int)qwen.Find("hidden_size")!.Number, (int)qwen.Find("num_hidden_layers")!.Number));
        Assert.Equal(1000, Assert.Single(Catalogue.All, model => model.Path == "google/vit-base-patch16-224").Find("id2label.count")!.Number);
    }
}
