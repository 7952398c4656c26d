using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Diagnostics;

/// <summary>A backbone and an adapter of someone else's assembly get the checks and the plan of the library's own.</summary>
public sealed class ForeignPartsTests
{
    private const string Library = """
        using FlatPO.Recipes;
        using FlatPO.Recipes.Adapters.Lora;
        using FlatPO.Recipes.Backbones;
        using FlatPO.Recipes.Batches;
        using TorchSharp;

        [assembly: DeclaresBackbone(typeof(Theirs.PairLM))]

        namespace Theirs;

        [BackboneFamily("pair", TaskType.CausalLM, Shape = ["width"])]
        [Tower(Towers.Language, Layers = "depth", Weights = "10 * width", LayerWeights = "2 * width")]
        [Tower(Towers.Vision, Layers = "eyes")]
        [Site("reads.{layer}.mix", Sites.Query, Tower = Towers.Language, In = "width", Out = "width")]
        [Site("sees.{layer}.mix", Sites.Query, Tower = Towers.Vision, In = "2 * width", Out = "width", Bias = "1")]
        public sealed class PairLM(WeightTable weights) : CausalLM(weights)
        {
            public override torch.Tensor Logits(TokenBatch batch) => throw new NotSupportedException();
        }

        [RealizedBy(typeof(LoraMethod))]
        [AdapterTensor("down", "Rank", "in")]
        [AdapterTensor("up", "out", "Rank")]
        [CannotMerge("nobody knows how")]
        [Conflict("THEIRS1", nameof(Rank), nameof(UseDora), "theirs are plain")]
        public sealed class BottleneckAttribute : AdapterAttribute
        {
            [Bounds("THEIRS2", Minimum = 1, Maximum = "min(in, out)"), Default(0)]
            public int Rank { get; set; }

            [PatternOf(nameof(Rank)), Default(new string[0])]
            public string[] RankPattern { get; set; } = [];

            [Default(false)]
            public bool UseDora { get; set; }
        }
        """;

    [Theory]
    [InlineData("""[Lora(TargetModules = ["reads.mx"])]""", "FPO1001")]
    [InlineData("""[Lora(Sites = Sites.Gate)]""", "FPO1002")]
    [InlineData("""[Lora(Sites = Sites.Query)]""", "FPO1013")]
    [InlineData("""[Lora(Sites = Sites.Query, Towers = Towers.Vision, Layers = "2..3")]""", "FPO1003")]
    [InlineData("""[Lora(Sites = Sites.Query, Towers = Towers.All, Rank = 20, Alpha = 20)]""", "FPO1005")]
    public void Their_backbone_is_checked(string adapter, string id)
    {
        Diagnostic found = Assert.Single(Recipe(adapter).Analyze());
        Assert.Equal(id, found.Id);
    }

    [Fact]
    public void Their_backbone_is_planned_tower_by_tower()
    {
        string text = Recipe("[Lora(Rank = 2, Sites = Sites.Query, Towers = Towers.All)]").Generate().Text;
        Assert.Contains("TrainableTensors = 10;", text, StringComparison.Ordinal); // 3 layers that read, 2 that see, 2 tensors each
        Assert.Contains($"TotalParameters = {(10 * 16) + (3 * 32) + (3 * 256) + (2 * ((32 * 16) + 16)) + (3 * 64) + (2 * (64 + 32)):#,0};".Replace(',', '_'), text, StringComparison.Ordinal);
        Assert.Contains("public LanguageTower Language { get; }", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Their_adapter_is_checked_and_cannot_be_merged()
    {
        const string Placed = "Sites = Sites.Query, Towers = Towers.Language";
        Assert.Equal("FPO0012", Assert.Single(Recipe($"[Theirs.Bottleneck(Rank = 99, {Placed})]").Analyze()).Id);
        Assert.Equal("FPO1016", Assert.Single(Recipe($"[Theirs.Bottleneck(Rank = 4, UseDora = true, {Placed})]").Analyze()).Id);
        string text = Recipe($"[Theirs.Bottleneck(Rank = 4, {Placed})]").Generate().Text;
        Assert.DoesNotContain("void Merge(", text, StringComparison.Ordinal);
        Assert.Contains("// There is no Merge: nobody knows how.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Their_pattern_is_checked_and_planned_layer_by_layer()
    {
        const string Placed = "Rank = 4, Sites = Sites.Query, Towers = Towers.Language";
        Assert.Equal("FPO0012", Assert.Single(Recipe($"[Theirs.Bottleneck({Placed}, RankPattern = [\"reads.1.mix=99\"])]").Analyze()).Id);
        Assert.Equal("FPO1032", Assert.Single(Recipe($"[Theirs.Bottleneck({Placed}, RankPattern = [\"reads.3.mix=2\"])]").Analyze()).Id);
        string text = Recipe($"[Theirs.Bottleneck({Placed}, RankPattern = [\"reads.0.mix=2\"])]").Generate().Text;
        Assert.Contains($"TrainableParameters = {(2 + 4 + 4) * 32};", text, StringComparison.Ordinal); // three layers, [rank, 16] and [16, rank]
        Assert.Contains("InLayers(0, 0,", text, StringComparison.Ordinal);
        Assert.Contains("InLayers(1, 2,", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_of_what_is_no_number_is_no_use()
    {
        Project recipe = Project
            .Of("using FlatPO.Recipes;\n[Recipe(TaskType.CausalLM)]\n[Backbone(\"models/pair\")]\n[Theirs.Bottleneck(Rank = 4, Sites = Sites.Query, Towers = Towers.Language)]\n[AdamW]\npublic partial class R;")
            .Showing(new ShownFile("/src/models/pair/config.json", """{ "model_type": "pair", "depth": 3, "eyes": 2, "width": 16 }"""))
            .Referencing("Theirs", Library.Replace("[PatternOf(nameof(Rank))", "[PatternOf(\"Breadth\")", StringComparison.Ordinal));
        Diagnostic found = Assert.Single(recipe.Analyze());
        Assert.Equal("FPO0013", found.Id);
        Assert.Contains("RankPattern is a pattern of Breadth, which is no number of it", found.GetMessage(), StringComparison.Ordinal);
    }

    private static Project Recipe(string adapter) => Project
        .Of($"using FlatPO.Recipes;\n[Recipe(TaskType.CausalLM)]\n[Backbone(\"models/pair\")]\n{adapter}\n[AdamW]\npublic partial class R;")
        .Showing(new ShownFile("/src/models/pair/config.json", """{ "model_type": "pair", "depth": 3, "eyes": 2, "width": 16 }"""))
        .Referencing("Theirs", Library);
}
