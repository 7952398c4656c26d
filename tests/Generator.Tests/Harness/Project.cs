using System.Collections.Immutable;
using FlatPO.Recipes.Generator.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Emit;

namespace FlatPO.Recipes.Generator.Tests.Harness;

/// <summary>A user's project: sources, config.json files, and what our generator and analyzer make of them.</summary>
internal sealed class Project
{
    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Latest, DocumentationMode.Diagnose);

    private static readonly string ImplicitUsings = string.Concat(new[] { "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Threading", "System.Threading.Tasks" }.Select(name => $"global using {name};\n"));

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var file && (file.StartsWith("System.", StringComparison.Ordinal) || file is "mscorlib.dll" or "netstandard.dll" or "Microsoft.CSharp.dll" or "TorchSharp.dll" or "FlatPO.Recipes.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private Project(CSharpCompilation compilation, IReadOnlyList<AdditionalText> shown) => (Compilation, Shown) = (compilation, shown);

    internal CSharpCompilation Compilation { get; }

    internal IReadOnlyList<AdditionalText> Shown { get; }

    internal static Project Of(params string[] sources) => new(
        CSharpCompilation.Create(
            "UserProject",
            sources.Prepend(ImplicitUsings).Select((source, i) => CSharpSyntaxTree.ParseText(source, Parse, $"File{i}.cs", System.Text.Encoding.UTF8)),
            References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable)),
        ShownFile.Golden);

    internal static Project OfSpecimens(params string[] names) => Of([.. names.Select(Repository.Specimen)]);

    internal Project Showing(params AdditionalText[] files) => new(Compilation, files);

    /// <summary>The project with an assembly of someone else's, compiled from source.</summary>
    internal Project Referencing(string assembly, string source)
    {
        using MemoryStream image = new();
        EmitResult emitted = CSharpCompilation.Create(assembly, [CSharpSyntaxTree.ParseText(ImplicitUsings, Parse), CSharpSyntaxTree.ParseText(source, Parse)], References, Compilation.Options).Emit(image);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics));
        image.Position = 0;
        return new Project(Compilation.AddReferences(MetadataReference.CreateFromStream(image)), Shown);
    }

    internal Project With(string source) => new(Compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText(source, Parse, "Added.cs", System.Text.Encoding.UTF8)), Shown);

    /// <summary>The project with a piece of its text replaced.</summary>
    internal Project Edited(string from, string to)
    {
        SyntaxTree tree = Compilation.SyntaxTrees.Single(candidate => candidate.ToString().Contains(from));
        return new Project(Compilation.ReplaceSyntaxTree(tree, CSharpSyntaxTree.ParseText(tree.ToString().Replace(from, to), Parse, tree.FilePath, System.Text.Encoding.UTF8)), Shown);
    }

    /// <summary>The project under an .editorconfig.</summary>
    internal Project Configured(string text) => new(Compilation.WithOptions(Compilation.Options.WithSyntaxTreeOptionsProvider(new EditorConfig(text))), Shown);

    internal Generated Generate()
    {
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new RecipeGenerator().AsSourceGenerator()], Shown, Parse, driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        driver = driver.RunGenerators(Compilation);
        Caching.CacheCheck.RunAgain(driver, Compilation.Clone());
        return new Generated(this, driver);
    }

    /// <summary>What the analyzer reports, suppressed ones left out.</summary>
    internal ImmutableArray<Diagnostic> Analyze()
    {
        Compilation withGenerated = Generate().Compilation;
        CompilationWithAnalyzers analyzed = withGenerated.WithAnalyzers([new RecipeAnalyzer()], new AnalyzerOptions([.. Shown]));
        return [.. analyzed.GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult().Where(diagnostic => !diagnostic.IsSuppressed).OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start)];
    }
}

/// <summary>What a run of the generator left behind.</summary>
internal sealed record Generated(Project Project, GeneratorDriver Driver)
{
    internal GeneratorRunResult Result => Driver.GetRunResult().Results.Single();

    internal IReadOnlyList<GeneratedSourceResult> Files => Result.GeneratedSources;

    internal string Text => Files.Single().SourceText.ToString();

    internal Compilation Compilation => Project.Compilation.AddSyntaxTrees(Files.Select(file => file.SyntaxTree));

    /// <summary>Everything the compiler says of the generated files, and errors anywhere.</summary>
    internal IReadOnlyList<string> Complaints =>
    [
        .. Compilation.GetDiagnostics()
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error || (diagnostic.Severity == DiagnosticSeverity.Warning && IsGenerated(diagnostic.Location.SourceTree)))
            .Select(diagnostic => diagnostic.ToString()),
    ];

    private bool IsGenerated(SyntaxTree? tree) => Files.Any(file => file.SyntaxTree == tree);
}
