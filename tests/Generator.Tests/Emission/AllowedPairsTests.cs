using FlatPO.Recipes.Generator.Tests.Harness;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Tests.Emission;

/// <summary>Which adapter method each golden backbone takes: the compiler's answers, held to the table that the runtime's tests read.</summary>
public sealed class AllowedPairsTests
{
    private const string Table = "tests/Runtime.Tests/Adapters/allowed.txt";
    private const string TwoTowers = "FPO1013";

    /// <summary>The class of a golden backbone says its task.</summary>
    private static readonly (string Backbone, string Task)[] Backbones =
    [
        .. from path in Repository.FilesUnder("tests/Golden/backbones", "config.json")
           let folder = Path.GetFileName(Path.GetDirectoryName(path))!
           select (folder, TaskOf(folder)),
    ];

    [Fact]
    public void The_table_holds_the_compilers_answers()
    {
        string[] before = Repository.Read(Table).TrimEnd('\n').Split('\n');
        string[] methods = [.. before.Skip(1).Select(row => row.Split('|')[0].Trim())];
        (string Method, string Backbone)[] pairs = [.. from method in methods from backbone in Backbones select (method, backbone.Backbone)];
        Dictionary<(string, string), string> answers = Answers(pairs, method => method);
        // where both towers have the role the compiler asks which is meant: both are
        foreach (var (pair, answer) in Answers([.. pairs.Where(pair => answers[pair] == TwoTowers)], BothTowers))
            answers[pair] = answer;
        string[] rows = [.. methods.Select(method => string.Join(" | ", Backbones.Select(backbone => answers[(method, backbone.Backbone)]).Prepend(method)))];
        string received = string.Join('\n', rows.Prepend(string.Join(" | ", Backbones.Select(backbone => backbone.Backbone).Prepend("method"))));
        Assert.True(string.Join('\n', before) == received, $"the compiler's answers are not those of {Table}, but\n{received}");
    }

    // all pairs in one project, a recipe each
    private static Dictionary<(string Method, string Backbone), string> Answers((string Method, string Backbone)[] pairs, Func<string, string> annotation)
    {
        string[] recipes = [.. pairs.Select((pair, i) => $"""
            using FlatPO.Recipes;
            [Recipe(TaskType.{Backbones.Single(known => known.Backbone == pair.Backbone).Task}), Backbone("backbones/{pair.Backbone}"), {annotation(pair.Method)}, AdamW]
            public partial class Recipe{i};
            """)];
        Project project = Project.Of(recipes).Showing([.. Backbones.Select(backbone => Shown(backbone.Backbone))]);
        ILookup<string, string> errors = project.Analyze().Where(found => found.Severity == DiagnosticSeverity.Error)
            .ToLookup(found => found.Location.SourceTree!.FilePath, found => found.Id);
        return pairs.Select((pair, i) => (pair, errors[$"File{i + 1}.cs"].FirstOrDefault("yes"))).ToDictionary();
    }

    private static string BothTowers(string method) => method.EndsWith(')') ? $"{method[..^1]}, Towers = Towers.All)" : $"{method}(Towers = Towers.All)";

    private static ShownFile Shown(string backbone) => new($"/src/{ConfigOf(backbone)}", Repository.Read(ConfigOf(backbone)));

    private static string ConfigOf(string backbone) => $"tests/Golden/backbones/{backbone}/config.json";

    private static string TaskOf(string backbone) => Repository.Read(ConfigOf(backbone)) switch
    {
        var config when config.Contains("ForCausalLM") => "CausalLM",
        var config when config.Contains("ForSequenceClassification") => "SequenceClassification",
        var config when config.Contains("ForImageClassification") => "ImageClassification",
        var config when config.Contains("ForConditionalGeneration") => "ImageTextToText",
        _ => "ImageTextContrastive",
    };
}
