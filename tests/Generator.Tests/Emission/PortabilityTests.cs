using System.Globalization;
using FlatPO.Recipes.Generator.Tests.Diagnostics;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>The same text everywhere, whatever else the project holds.</summary>
public sealed class PortabilityTests
{
    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("sv-SE")]
    [InlineData("ar-SA")]
    public void The_culture_of_the_machine_does_not_reach_the_text(string culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(culture);
            Assert.Equal(Repository.Read("tests/Generator.Tests/Snapshots/TinyLlama.verified.cs"), Project.OfSpecimens("TinyLlama").Generate().Text);
            Assert.Contains("Fraction = 0.5", Assert.Single(Warned().Analyze()).GetMessage(), StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = before;
        }
    }

    [Fact]
    public void Two_compilers_write_the_same_text_in_whatever_order_they_read_the_files()
    {
        string[] names = ["TinyOpt", "TinyVit", "SupportAnswers"];
        Assert.Equal(Texts(names), Texts([.. names.Reverse()]));

        static string[] Texts(string[] specimens) => [.. Project.OfSpecimens(specimens).Generate().Files.OrderBy(file => file.HintName, StringComparer.Ordinal).Select(file => file.SourceText.ToString())];
    }

    [Fact]
    public void Lines_end_in_a_line_feed() => Assert.DoesNotContain('\r', Project.OfSpecimens("TinyVit").Generate().Text);

    [Fact]
    public void Recipes_of_one_name_in_two_namespaces_get_a_file_each()
    {
        string second = Repository.Specimen("TinyOpt").Replace("namespace Specimens", "namespace Elsewhere");
        Generated generated = Project.Of(Repository.Specimen("TinyOpt"), second).Generate();
        Assert.Equal(["Elsewhere.TinyOpt.g.cs", "Specimens.TinyOpt.g.cs"], generated.Files.Select(file => file.HintName).Order(StringComparer.Ordinal));
        Assert.Equal("", string.Join('\n', generated.Complaints));
    }

    [Fact]
    public void A_nested_generic_recipe_is_filed_under_its_metadata_name() =>
        Assert.Equal("Specimens.Nesting.Outer`1+IHolder+Inner`1.g.cs", Assert.Single(Project.OfSpecimens("Nested").Generate().Files).HintName);

    [Theory]
    [InlineData("public partial class Plain;")]
    [InlineData("internal sealed partial class @event;")]
    [InlineData("public partial record struct Holder { internal partial class Plain; }")]
    public void Recipes_of_the_global_namespace_compile(string declaration)
    {
        string attributes = "[FlatPO.Recipes.Recipe(FlatPO.Recipes.TaskType.CausalLM), FlatPO.Recipes.Backbone(\"facebook/opt-125m\"), FlatPO.Recipes.Lora, FlatPO.Recipes.Sam, FlatPO.Recipes.AdamW]\n";
        string source = declaration.Contains("Holder", StringComparison.Ordinal) ? declaration.Replace("internal", attributes + "internal") : attributes + declaration;
        Assert.Equal("", string.Join('\n', Project.Of(source).Generate().Complaints));
    }

    [Fact]
    public void The_names_of_the_library_may_be_taken_in_the_users_namespace()
    {
        string names = string.Concat(new[] { "Arena", "Selection", "Ranking", "StepReport", "Evaluation", "Device", "TokenBatch", "Sites", "AdamW", "LoraPair", "IDisposable", "CancellationToken", "TrainingReport" }.Select(name => $"public sealed class {name};\n"));
        string source = Repository.Specimen("TinyOpt") + names;
        Generated generated = Project.Of(source).Generate();
        Assert.Equal("", string.Join('\n', generated.Complaints));
        Assert.Contains("using RecipesArena = global::FlatPO.Recipes.Trainables.Arena;", generated.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_of_the_users_own_may_be_internal()
    {
        string source = Repository.Specimen("OwnParts").Replace("public sealed class", "internal sealed class", StringComparison.Ordinal);
        Generated generated = Project.Of(source).Generate();
        Assert.Equal("", string.Join('\n', generated.Complaints));
        Assert.Contains("internal ScaleLayer Proj { get; }", generated.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Global_aliases_and_static_imports_of_the_user_do_not_matter() => Assert.Equal("", string.Join('\n', Project.Of(
        "global using static TorchSharp.torch; global using Tensor = TorchSharp.torch.Tensor; global using Arena = System.String;",
        Repository.Specimen("TinyOpt")).Generate().Complaints));

    private static Project Warned() => DiagnosticPage.Read("FPO2009").Example;
}
