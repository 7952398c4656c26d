using BenchmarkDotNet.Attributes;
using FlatPO.Recipes.Generator.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace FlatPO.Recipes.Generator.Benchmarks;

/// <summary>What an editor waits for after a key: a compilation in which one file is new. That file's parsing is not counted, since every editor pays it anyhow.</summary>
public class Keystrokes
{
    private CSharpCompilation compilation = null!;
    private GeneratorDriver driver = null!;
    private (SyntaxTree[] Versions, int Current) edited;

    [GlobalSetup(Target = nameof(Search_alone))]
    public void OpenSearch()
    {
        OpenOrdinary();
        driver = HundredRecipes.Driver(new SearchOnly()).RunGenerators(compilation);
    }

    [GlobalSetup(Target = nameof(In_an_ordinary_file))]
    public void OpenOrdinary() => Open("Ordinary7.cs", "word.Length > 3)", "word.Length > 30)");

    [GlobalSetup(Target = nameof(In_a_recipe))]
    public void OpenRecipe() => Open("Recipe40.cs", "Rank = 4", "Rank = 3");

    [GlobalSetup(Target = nameof(In_a_comment_of_a_recipe))]
    public void OpenComment() => Open("Recipe40.cs", "a comment", "another comment");

    [GlobalSetup(Target = nameof(Analyzing_one_recipe))]
    public void OpenAnalyzed() => Open("Recipe40.cs", "Rank = 4", "Rank = 3");

    [Benchmark]
    public GeneratorDriver In_an_ordinary_file() => driver = driver.RunGenerators(Type());

    [Benchmark]
    public GeneratorDriver In_a_recipe() => driver = driver.RunGenerators(Type());

    [Benchmark]
    public GeneratorDriver In_a_comment_of_a_recipe() => driver = driver.RunGenerators(Type());

    /// <summary>The squiggles of the file that is edited; the generator's run is not counted.</summary>
    [Benchmark]
    public AnalysisResult Analyzing_one_recipe()
    {
        CSharpCompilation typed = Type();
        SemanticModel model = typed.GetSemanticModel(edited.Versions[edited.Current]);
        return typed.WithAnalyzers([new RecipeAnalyzer()], new AnalyzerOptions([])).GetAnalysisResultAsync(model, filterSpan: null, CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>The compiler's part of every keystroke: it binds the attributes of all recipes anew.</summary>
    [Benchmark]
    public GeneratorDriver Search_alone() => driver = driver.RunGenerators(Type());

    /// <summary>An editor has seen thousands of keys: the first benchmark must not be the one that waits for the JIT's last tier.</summary>
    internal static void UntilJitted()
    {
        Keystrokes typing = new();
        typing.OpenRecipe();
        for (int key = 0; key < 400; key++)
            typing.In_a_recipe();
    }

    private void Open(string file, string from, string to)
    {
        compilation = HundredRecipes.Compilation();
        edited = (HundredRecipes.Edit(compilation, file, from, to), 0);
        driver = HundredRecipes.Driver().RunGenerators(compilation);
    }

    private CSharpCompilation Type()
    {
        SyntaxTree before = edited.Versions[edited.Current];
        edited.Current ^= 1;
        return compilation = compilation.ReplaceSyntaxTree(before, edited.Versions[edited.Current]);
    }
}
