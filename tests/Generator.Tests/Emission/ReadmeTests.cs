using System.Text.RegularExpressions;
using FlatPO.Recipes.Generator.Parsing;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>What the README shows of its recipe is what the generator writes for it.</summary>
public sealed class ReadmeTests
{
    private static readonly string Readme = Repository.Read("README.md");

    private static readonly string Recipe = Regex.Match(Readme, @"```csharp\n(.*?public partial class SupportAnswers;)", RegexOptions.Singleline).Groups[1].Value;

    [Fact]
    public void Its_recipe_has_no_finding()
    {
        Project project = Project.Of($"using FlatPO.Recipes;\n{Recipe}");
        Assert.Empty(project.Analyze());
        Assert.Empty(project.Generate().Complaints);
    }

    [Fact]
    public void Its_count_of_known_models_is_the_catalogues() =>
        Assert.Contains($"{Catalogue.All.Count} models known by id", Readme, StringComparison.Ordinal);

    [Fact]
    public void Its_plan_is_that_of_its_recipe()
    {
        string planned = Regex.Match(Readme, @"```\n(trains .*)\n```").Groups[1].Value;
        Assert.Equal(Project.Of($"using FlatPO.Recipes;\n{Recipe}").Generate().Text.Split('\n').First(line => line.StartsWith("// trains", StringComparison.Ordinal)), $"// {planned}");
    }
}
