using System.Text.RegularExpressions;
using FlatPO.Recipes.Generator.Tests.Harness;

namespace FlatPO.Recipes.Generator.Tests.Architecture;

/// <summary>The rooms of the generator and who may use whom.</summary>
public sealed class HouseRulesTests
{
    private static readonly string[] ForbiddenRooms = ["Helpers", "Utils", "Utilities", "Common", "Misc", "Shared"];

    public static TheoryData<string, string> Forbidden => new()
    {
        { "Model", "Microsoft.CodeAnalysis" },
        { "Model", "FlatPO.Recipes.Generator.Rules" },
        { "Model", "FlatPO.Recipes.Generator.Parsing" },
        { "Model", "FlatPO.Recipes.Generator.Emission" },
        { "Rules", "Microsoft.CodeAnalysis" },
        { "Rules", "FlatPO.Recipes.Generator.Parsing" },
        { "Rules", "FlatPO.Recipes.Generator.Emission" },
        { "Emission", "Microsoft.CodeAnalysis" },
        { "Emission", "FlatPO.Recipes.Generator.Parsing" },
        { "Emission", "FlatPO.Recipes.Generator.Rules" },
        { "Parsing", "FlatPO.Recipes.Generator.Emission" },
    };

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void Rooms_use_only_what_they_may(string room, string @namespace) =>
        Assert.DoesNotContain(Repository.FilesUnder($"src/Generator/{room}", "*.cs"), file => File.ReadAllText(file).Contains($"using {@namespace}", StringComparison.Ordinal));

    [Fact]
    public void Files_are_short()
    {
        foreach (string file in new[] { "src/Generator", "src/CodeFixes", "tests/Generator.Tests", "tests/CodeFixes.Tests" }.SelectMany(room => Repository.FilesUnder(room, "*.cs")).Where(file => !file.Contains("Snapshots")))
            Assert.True(File.ReadLines(file).Count() <= 300, $"{file} is longer than 300 lines");
        Assert.True(File.ReadLines(Repository.PathOf("src/Generator/RecipeGenerator.cs")).Count() <= 60);
    }

    [Fact]
    public void Only_the_code_fixes_know_workspaces()
    {
        Regex workspaces = new(@"\.Workspaces""|using Microsoft\.CodeAnalysis\.(CodeActions|CodeFixes|Editing|Formatting|Simplification)|using System\.Composition");
        string[] files = [.. Repository.FilesUnder("src", "*.cs").Concat(Repository.FilesUnder("src", "*.csproj")).Where(file => workspaces.IsMatch(File.ReadAllText(file)))];
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.Contains($"{Path.DirectorySeparatorChar}CodeFixes{Path.DirectorySeparatorChar}", file, StringComparison.Ordinal));
    }

    [Fact]
    public void Rooms_have_names_that_say_something() => Assert.DoesNotContain(
        Repository.FilesUnder("src/Generator", "*.cs"), file => file.Split('/', '\\').Intersect(ForbiddenRooms).Any());

    [Fact]
    public void The_generator_knows_no_adapter_optimizer_schedule_or_backbone_by_name()
    {
        Regex names = new(@"""[^""]*\b(Lora\w*|AdamW|Sgd|CosineSchedule|LinearSchedule|\w+ForCausalLM|\w+ForImageClassification)\b");
        foreach (string file in Repository.FilesUnder("src/Generator", "*.cs").Where(file => !file.EndsWith("RecipeDiagnostics.cs", StringComparison.Ordinal)))
            Assert.DoesNotMatch(names, File.ReadAllText(file));
    }
}
