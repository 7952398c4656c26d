using System.Text.RegularExpressions;
using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Diagnostics;

/// <summary>A page of docs/diagnostics: its example is the positive test of the id, its cure the negative one.</summary>
internal sealed partial class DiagnosticPage
{
    private readonly string example;
    private readonly string cure;

    private DiagnosticPage(string text)
    {
        string[] parts = text.Split("## ");
        Assert.Equal(3, parts.Length);
        (Heading, example, cure) = (parts[0].Split('\n')[0], parts[1], parts[2]);
    }

    internal string Heading { get; }

    internal Project Example => ProjectOf(example);

    internal Project Cure => ProjectOf(cure);

    /// <summary>Whether an editor can apply the cure: a paragraph of the cure says so.</summary>
    internal bool HasCodeFix => cure.Contains("\n\nA code fix ", StringComparison.Ordinal);

    internal static DiagnosticPage Read(string id) => new(Repository.Read($"docs/diagnostics/{id}.md"));

    private static Project ProjectOf(string section)
    {
        AdditionalText[] shown = Blocks(section, "json").Select(json => new ShownFile("/src/models/mine/config.json", json)).ToArray<AdditionalText>();
        return Project.Of($"using FlatPO.Recipes;\n{Blocks(section, "csharp").Single()}").Showing(shown);
    }

    private static IEnumerable<string> Blocks(string section, string language) =>
        Fence().Matches(section).Where(match => match.Groups[1].Value == language).Select(match => match.Groups[2].Value);

    [GeneratedRegex(@"```(\w+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fence();
}
