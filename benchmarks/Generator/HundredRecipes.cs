using System.Collections.Immutable;
using System.Text;
using FlatPO.Recipes.Generator.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace FlatPO.Recipes.Generator.Benchmarks;

/// <summary>A project of one hundred recipes, a file each, and fifty ordinary files.</summary>
internal static class HundredRecipes
{
    private const int Recipes = 100;
    private const int OrdinaryFiles = 50;

    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Latest);
    private static readonly CSharpCompilationOptions Options = new(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, concurrentBuild: true);

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var file && (file.StartsWith("System.", StringComparison.Ordinal) || file is "mscorlib.dll" or "netstandard.dll" or "TorchSharp.dll" or "FlatPO.Recipes.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private static readonly ImmutableArray<SyntaxTree> Trees =
    [
        .. Enumerable.Range(0, Recipes).Select(i => Tree($"Recipe{i}.cs", Recipe(i))),
        .. Enumerable.Range(0, OrdinaryFiles).Select(i => Tree($"Ordinary{i}.cs", Ordinary(i))),
    ];

    /// <summary>The project as the compiler first sees it: nothing is bound yet.</summary>
    internal static CSharpCompilation Compilation() => CSharpCompilation.Create("HundredRecipes", Trees, References, Options);

    internal static GeneratorDriver Driver() => Driver(new RecipeGenerator());

    internal static GeneratorDriver Driver(IIncrementalGenerator generator) => CSharpGeneratorDriver.Create([generator.AsSourceGenerator()], parseOptions: Parse);

    /// <summary>A file before and after an edit.</summary>
    internal static SyntaxTree[] Edit(CSharpCompilation compilation, string file, string from, string to)
    {
        SyntaxTree before = compilation.SyntaxTrees.Single(tree => tree.FilePath == file);
        string text = before.ToString();
        return text.Contains(from, StringComparison.Ordinal) ? [before, Tree(file, text.Replace(from, to, StringComparison.Ordinal))] : throw new InvalidOperationException($"{file} does not say '{from}'");
    }

    internal static Compilation Generated()
    {
        Driver().RunGeneratorsAndUpdateCompilation(Compilation(), out Compilation generated, out _);
        return generated;
    }

    /// <summary>What the analyzer finds in the recipes, and the time spent in it alone.</summary>
    internal static (IReadOnlyList<Diagnostic> Found, TimeSpan Time) Analyze(Compilation compilation)
    {
        RecipeAnalyzer analyzer = new();
        CompilationWithAnalyzers analyzed = new(compilation, [analyzer], new CompilationWithAnalyzersOptions(new AnalyzerOptions([]), onAnalyzerException: null, concurrentAnalysis: false, logAnalyzerExecutionTime: true));
        Diagnostic[] found = [.. Trees.Take(Recipes).SelectMany(tree => analyzed.GetAnalyzerSemanticDiagnosticsAsync(compilation.GetSemanticModel(tree), filterSpan: null, CancellationToken.None).GetAwaiter().GetResult())];
        return (found, analyzed.GetAnalyzerTelemetryInfoAsync(analyzer, CancellationToken.None).GetAwaiter().GetResult().ExecutionTime);
    }

    /// <summary>How many lines the generator writes. Throws where the project does not compile with them: its figures would say nothing.</summary>
    internal static int RequireRightness()
    {
        Compilation generated = Generated();
        string[] wrong = [.. generated.GetDiagnostics().Concat(Analyze(generated).Found).Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(diagnostic => diagnostic.ToString())];
        SyntaxTree[] written = [.. generated.SyntaxTrees.Except(Trees)];
        return wrong.Length == 0 && written.Length == Recipes
            ? written.Sum(tree => tree.GetText().Lines.Count)
            : throw new InvalidOperationException($"{written.Length} files written\n{string.Join('\n', wrong.Take(5))}");
    }

    private static SyntaxTree Tree(string path, string text) => CSharpSyntaxTree.ParseText(text, Parse, path, Encoding.UTF8);

    private static string Recipe(int i)
    {
        bool image = i % 5 == 4;
        string backbone = image
            ? Pick(i / 5, "google/vit-base-patch16-224", "google/vit-large-patch16-224")
            : Pick(i, "facebook/opt-125m", "facebook/opt-1.3b", "meta-llama/Llama-3.2-1B", "Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-7B");
        string attributes = $"""
            // a comment
            [Recipe(TaskType.{(image ? "ImageClassification" : "CausalLM")})]
            [Backbone("{backbone}")]
            [Lora(Rank = {4 + i % 5}, Alpha = 16{Pick(i, "", ", Sites = Sites.AllLinear", ", Layers = \"^4..\"", ", Dropout = 0.1")})]
            {Pick(i, "[FlatPO(Rho = 0.05)]", "", "[Sam(Rho = 0.1)]", "[FlatPO(Fraction = 0.1, Selection = SelectionRule.Quantile)]")}
            {Pick(i, "[AdamW(LearningRate = 1e-4)]", "[Sgd(LearningRate = 0.1, Momentum = 0.9)]")}
            {Pick(i, "", "[CosineSchedule(WarmupRatio = 0.1)]", "[LinearSchedule]")}
            {Pick(i, "[Training(Epochs = 3, BatchSize = 8)]", "")}
            public partial class Recipe{i};
            """;
        return $"using FlatPO.Recipes;\n\nnamespace Project.Area{i % 7};\n\n{(i % 10 == 3 ? $"public static partial class Holder{i}\n{{\n{attributes}\n}}" : attributes)}\n";
    }

    private static string Ordinary(int i)
    {
        StringBuilder text = new($"using System;\nusing System.Collections.Generic;\nusing System.Linq;\n\nnamespace Project.Ordinary;\n\n// a comment\npublic sealed class Ordinary{i}\n{{\n    private readonly Dictionary<string, int> counts = [];\n");
        for (int method = 0; method < 20; method++)
            text.Append($"\n    public int Count{method}(IEnumerable<string> words)\n    {{\n        foreach (string word in words.Where(word => word.Length > {method}))\n            counts[word] = counts.TryGetValue(word, out int seen) ? seen + 1 : 1;\n        return counts.Values.Sum() + {i};\n    }}\n");
        return text.Append("}\n").ToString();
    }

    private static string Pick(int i, params string[] choices) => choices[i % choices.Length];
}
