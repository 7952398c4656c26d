using System.Collections.Immutable;
using FlatPO.Recipes.Generator.Model;
using FlatPO.Recipes.Generator.Parsing;
using FlatPO.Recipes.Generator.Rules;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace FlatPO.Recipes.Generator.Diagnostics;

/// <summary>Reads recipes as the generator does and reports what the rules find, each at its place in the source.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RecipeAnalyzer : DiagnosticAnalyzer
{
    /// <summary>The property of a diagnostic that holds what may stand in place of what it marks, as C# source text.</summary>
    internal const string SuggestionKey = "Suggestion";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => RecipeDiagnostics.All;

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
        {
            Lazy<Knowledge> knowledge = new(() => Gather(start.Compilation, start.Options, start.CancellationToken));
            start.RegisterSymbolAction(symbol => Report(symbol, knowledge), SymbolKind.NamedType);
        });
    }

    private static Knowledge Gather(Compilation compilation, AnalyzerOptions options, CancellationToken cancellation) => new(
        FamilyParser.ParseAll(compilation),
        [.. options.AdditionalFiles.Where(file => ConfigReader.IsConfig(file.Path)).Select(file => ConfigReader.Read(file, cancellation))]);

    private static void Report(SymbolAnalysisContext context, Lazy<Knowledge> knowledge)
    {
        if (context.Symbol is not INamedTypeSymbol type || !RecipeParser.IsRecipe(type))
            return;
        foreach (Finding finding in RecipeResolver.Resolve(RecipeParser.Parse(type), knowledge.Value, Catalogue.All).Findings)
            context.ReportDiagnostic(Diagnostic.Create(
                RecipeDiagnostics.For(finding.Id),
                FindingLocator.Locate(type, finding.Place, context.CancellationToken),
                Properties(finding),
                [.. finding.Arguments]));
    }

    private static ImmutableDictionary<string, string?> Properties(Finding finding) => finding.Suggestion is { } suggestion
        ? ImmutableDictionary<string, string?>.Empty.Add(SuggestionKey, suggestion.Source)
        : ImmutableDictionary<string, string?>.Empty;
}
