using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlatPO.Recipes.CodeFixes;

/// <summary>Declares a recipe, or the types around one, partial.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(PartialFix)), Shared]
public sealed class PartialFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds => ["FPO0001", "FPO0002"];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (Diagnostic diagnostic in context.Diagnostics)
            if (root?.FindNode(diagnostic.Location.SourceSpan) is TypeDeclarationSyntax recipe && NotPartial(recipe, diagnostic.Id) is { Length: > 0 } types)
                context.RegisterCodeFix(
                    CodeAction.Create(
                        $"Make '{string.Join("', '", types.Select(type => type.Identifier.ValueText))}' partial",
                        cancellation => context.Document.Inserted(types.Select(type => type.Keyword.SpanStart), "partial ", cancellation),
                        nameof(PartialFix)),
                    diagnostic);
    }

    /// <summary>The recipe itself, or those of the types around it that keep it from being one, outermost first.</summary>
    private static TypeDeclarationSyntax[] NotPartial(TypeDeclarationSyntax recipe, string id) =>
        [.. (id == "FPO0001" ? [recipe] : recipe.Ancestors().OfType<TypeDeclarationSyntax>().Reverse()).Where(type => !type.Modifiers.Any(SyntaxKind.PartialKeyword))];
}
