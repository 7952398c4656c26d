using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Diagnostics;

/// <summary>Checks that an annotation's class declares, ours and a user's own.</summary>
public sealed class SettingCheckTests
{
    [Theory]
    [InlineData("Rank = 128", "FPO1015", "Alpha / Rank = 8 / 128 = 0.0625, where 0.25 to 8 is usual; Alpha is not written and stays 8", "128")]
    [InlineData("Rank = 4, Alpha = 128", "FPO1015", "Alpha / Rank = 128 / 4 = 32, where 0.25 to 8 is usual", "4")]
    [InlineData("Alpha = 128", "FPO1015", "Alpha / Rank = 128 / 8 = 16, where 0.25 to 8 is usual; Rank is not written and stays 8", "128")]
    [InlineData("Rank = 16, Alpha = 128, UseRslora = true", "FPO1015", "Alpha / √Rank = 128 / √16 = 32", "16")]
    [InlineData("UseDora = true, LoraBias = true", "FPO1016", "LoraBias = true excludes UseDora = true: DoRA has no bias of B", "true")]
    [InlineData("LoraBias = true, Initialization = LoraInitialization.Gaussian", "FPO1016", "LoraBias = true excludes Initialization = Gaussian: peft", "true")]
    [InlineData("UseDora = true, Sites = Sites.Query | Sites.Embedding", "FPO1016", "UseDora = true excludes embed_tokens: the rows", "true")]
    [InlineData("LoraBias = true, Sites = Sites.Embedding", "FPO1016", "LoraBias = true excludes embed_tokens: an embedding's B has no bias", "true")]
    public void Lora_is_told_what_is_wrong_at_the_argument(string arguments, string id, string message, string place)
    {
        Diagnostic found = Assert.Single(Recipe($"Lora({arguments})").Analyze());
        Assert.Equal(id, found.Id);
        Assert.StartsWith(message, found.GetMessage(), StringComparison.Ordinal);
        Assert.Equal(place, found.Location.SourceTree!.ToString().Substring(found.Location.SourceSpan.Start, found.Location.SourceSpan.Length));
    }

    [Theory]
    [InlineData("Lora(Rank = 128, UseRslora = true)")]
    [InlineData("Lora(Rank = 128, Alpha = 32)")]
    [InlineData("Lora(UseDora = true, UseRslora = true, Dropout = 0.1)")]
    [InlineData("Lora(LoraBias = true)")]
    [InlineData("Lora(UseDora = true, LoraBias = false)")]
    [InlineData("Ia3")]
    [InlineData("Bottleneck")]
    [InlineData("Bottleneck(Size = 768, Sites = Sites.Down, Activation = BottleneckActivation.Silu)")]
    [InlineData("Vera")]
    [InlineData("Vera(Rank = 4096, SaveProjection = false, ProjectionPrngKey = 3)")]
    [InlineData("Ia3(Sites = Sites.Query | Sites.Key)")]
    [InlineData("Ia3(Sites = Sites.AllLinear, FeedForward = Sites.FeedForward)")]
    [InlineData("Ia3(TargetModules = [\"fc1\", \"k_proj\"], FeedForward = Sites.Up)")]
    public void What_is_fine_is_not_reported(string annotation) => Assert.Empty(Worse(Recipe(annotation)));

    [Theory]
    [InlineData("Vera(Dropout = 1)", "FPO1007", "Dropout = 1 is out of bounds; allowed is at least 0 and below 1", "1")]
    [InlineData("Bottleneck(Scale = 0)", "FPO1006", "Scale = 0 is out of bounds; allowed is above 0", "0")]
    [InlineData("Bottleneck(Size = 4000, TargetModules = [\"fc1\"])", "FPO1043", "Size = 4000 is out of bounds at model.decoder.layers.{layer}.fc1 [3072, 768]; allowed is at least 1 and at most 3072", "4000")]
    public void Bounds_are_judged_with_the_general_ids_and_the_widths_of_the_sites(string annotation, string id, string message, string place)
    {
        Diagnostic found = Assert.Single(Worse(Recipe(annotation)));
        Assert.Equal((id, message), (found.Id, found.GetMessage()));
        Assert.Equal(place, found.Location.SourceTree!.ToString().Substring(found.Location.SourceSpan.Start, found.Location.SourceSpan.Length));
    }

    [Fact]
    public void Feed_forward_roles_are_judged_by_the_modules_where_these_choose_the_sites()
    {
        Diagnostic found = Assert.Single(Worse(Recipe("Ia3(TargetModules = [\"k_proj\"], FeedForward = Sites.Down)")));
        Assert.Equal("FPO1018", found.Id);
        Assert.StartsWith("FeedForward names Down, which are not among Sites: Key", found.GetMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_users_own_checks_are_reported_under_the_librarys_ids_with_their_own_behind()
    {
        Diagnostic[] found = [.. Recipe("Gate(Width = 100, Wide = true)").With(Own).Analyze()];
        Assert.Equal(["FPO1015", "FPO1016"], found.Select(diagnostic => diagnostic.Id).Order(StringComparer.Ordinal));
        Assert.All(found, diagnostic => Assert.Matches(@"\(declared as OWN\d\)$", diagnostic.GetMessage()));
    }

    [Fact]
    public void A_condition_on_a_property_that_is_not_there_is_an_annotation_that_does_not_say_what_it_stands_for()
    {
        Diagnostic found = Assert.Single(Recipe("Gate").With(Own.Replace("When = \"Wide\"", "When = \"Wied\"")).Analyze());
        Assert.Equal("FPO0013", found.Id);
        Assert.Contains("Wied", found.GetMessage(), StringComparison.Ordinal);
    }

    private const string Own = """
        using FlatPO.Recipes;

        [RealizedBy(typeof(GateMethod))]
        [AdapterTensor("gate", "Width", When = "Wide")]
        [Conflict("OWN1", nameof(Width), nameof(Wide), "a gate is one of them")]
        [UsualRatio("OWN2", nameof(Width), nameof(Depth), AtMost = 10)]
        public sealed class GateAttribute : AdapterAttribute
        {
            [Default(1)]
            public int Width { get; set; } = 1;

            [Default(1)]
            public int Depth { get; set; } = 1;

            [Default(false)]
            public bool Wide { get; set; }
        }

        public abstract class GateMethod : FlatPO.Recipes.Adapters.AdapterMethod<FlatPO.Recipes.Adapters.Lora.LoraPair>
        {
            public int Width { get; init; }

            public int Depth { get; init; }

            public bool Wide { get; init; }
        }
        """;

    /// <summary>Warnings and errors.</summary>
    private static IEnumerable<Diagnostic> Worse(Project project) => project.Analyze().Where(diagnostic => diagnostic.Severity > DiagnosticSeverity.Info);

    private static Project Recipe(string annotation) => Project.Of($$"""
        using FlatPO.Recipes;

        [{{annotation}}]
        [Recipe(TaskType.CausalLM)]
        [Backbone("facebook/opt-125m")]
        [AdamW(LearningRate = 1e-4)]
        public partial class SupportAnswers;
        """);
}
