using System.Collections.Immutable;
using System.Composition;
using FlatPO.Recipes.Generator.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlatPO.Recipes.CodeFixes;

/// <summary>Puts what the compiler suggests in place of a wrong argument.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SuggestionFix)), Shared]
public sealed class SuggestionFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds => RecipeDiagnostics.Suggesting;

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (Diagnostic diagnostic in context.Diagnostics)
            if (diagnostic.Properties.TryGetValue(RecipeAnalyzer.SuggestionKey, out string? suggestion)
                && root?.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true).Parent is AttributeArgumentSyntax or CollectionElementSyntax or InitializerExpressionSyntax)
                context.RegisterCodeFix(
                    CodeAction.Create(
                        $"Change to '{suggestion!.Trim('"')}'",
                        cancellation => context.Document.Replaced(diagnostic.Location.SourceSpan, suggestion, cancellation),
                        nameof(SuggestionFix)),
                    diagnostic);
    }
}
