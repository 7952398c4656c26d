using System.Globalization;
using System.Text.RegularExpressions;
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
        (string task, string sites) = Assert.Single(Catalogue.All, model => model.Path == id).Find("model_type")!.Text switch
        {
            "clip" => ("ImageTextContrastive", "Sites.AllLinear"),
            "qwen2_5_vl" => ("ImageTextToText", "Sites.AllLinear | Sites.Head"),
            "vit" => ("ImageClassification", "Sites.AllLinear | Sites.Head"),
            "bert" or "roberta" => ("SequenceClassification", "Sites.AllLinear, ModulesToSave = [\"classifier\"]"),
            _ => ("CausalLM", "Sites.AllLinear | Sites.Head"),
        };
        Project project = Project.Of($"using FlatPO.Recipes;\n[Recipe(TaskType.{task})]\n[Backbone(\"{id}\")]\n[Lora(Sites = {sites})]\n[AdamW]\npublic partial class R;").Showing();
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

    [Theory]
    [InlineData("Qwen/Qwen2.5-1.5B", "CausalLM", 1_543_714_304)]
    [InlineData("meta-llama/Llama-2-7b-hf", "CausalLM", 6_738_415_616)]
    [InlineData("facebook/opt-350m", "CausalLM", 331_196_416)]
    [InlineData("google/vit-base-patch16-224", "ImageClassification", 86_567_656)]
    [InlineData("openai/clip-vit-large-patch14", "ImageTextContrastive", 427_616_513)]
    public void The_plan_counts_the_numbers_that_were_published(string id, string task, long published)
    {
        string text = Project.Of($"using FlatPO.Recipes;\n[Recipe(TaskType.{task})]\n[Backbone(\"{id}\")]\n[Lora(Towers = Towers.None)]\n[AdamW]\npublic partial class R;").Showing().Generate().Text;
        long Constant(string name) => long.Parse(Regex.Match(text, $@"{name} = ([\d_]+);").Groups[1].Value.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        Assert.Equal(published, Constant("TotalParameters") - Constant("TrainableParameters"));
    }

    [Fact]
    public void Known_sizes()
    {
        ConfigFacts qwen = Assert.Single(Catalogue.All, model => model.Path == "Qwen/Qwen2.5-1.5B");
        Assert.Equal((1536, 28), ((int)qwen.Find("hidden_size")!.Number, (int)qwen.Find("num_hidden_layers")!.Number));
        Assert.Equal(24, Assert.Single(Catalogue.All, model => model.Path == "openai/clip-vit-large-patch14").Find("vision_config.num_hidden_layers")!.Number);
        Assert.Equal(1000, Assert.Single(Catalogue.All, model => model.Path == "google/vit-base-patch16-224").Find("id2label.count")!.Number);
    }
}
