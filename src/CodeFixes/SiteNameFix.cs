using System.Collections.Immutable;
using System.Composition;
using FlatPO.Recipes.Generator.Diagnostics;
using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlatPO.Recipes.CodeFixes;

/// <summary>Names the sites of an adapter by role where it lists their modules.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SiteNameFix)), Shared]
public sealed class SiteNameFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds => ["FPO1021"];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        SemanticModel? model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        if (root is null || model?.Compilation.GetTypeByMetadataName(RuntimeTypes.FullNames["Sites"]) is not { } sites)
            return;
        foreach (Diagnostic diagnostic in context.Diagnostics)
            if (diagnostic.Properties.TryGetValue(RecipeAnalyzer.SuggestionKey, out string? suggestion)
                && root.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<AttributeArgumentSyntax>() is { } argument)
            {
                string value = suggestion!.Replace(sites.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat), sites.ToMinimalDisplayString(model, argument.SpanStart));
                context.RegisterCodeFix(
                    CodeAction.Create(
                        $"Change to 'Sites = {value}'",
                        cancellation => context.Document.Replaced(argument.Span, $"Sites = {value}", cancellation),
                        nameof(SiteNameFix)),
                    diagnostic);
            }
    }
}
