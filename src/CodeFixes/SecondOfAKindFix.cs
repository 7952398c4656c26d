using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlatPO.Recipes.CodeFixes;

/// <summary>Removes the second attribute of a kind that a recipe may have once.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SecondOfAKindFix)), Shared]
public sealed class SecondOfAKindFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds => ["FPO0006"];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (Diagnostic diagnostic in context.Diagnostics)
            if (root?.FindNode(diagnostic.Location.SourceSpan) is AttributeSyntax attribute)
                context.RegisterCodeFix(
                    CodeAction.Create(
                        $"Remove [{attribute.Name}]",
                        cancellation => context.Document.Without(text => Removal.Of(attribute, text), cancellation),
                        nameof(SecondOfAKindFix)),
                    diagnostic);
    }
}
