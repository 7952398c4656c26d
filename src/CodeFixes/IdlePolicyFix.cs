using System.Collections.Immutable;
using System.Composition;
using FlatPO.Recipes.Generator.Model;
using FlatPO.Recipes.Generator.Parsing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlatPO.Recipes.CodeFixes;

/// <summary>Removes a sharpness policy that cannot act.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(IdlePolicyFix)), Shared]
public sealed class IdlePolicyFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds => ["FPO2011"];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        SyntaxNode? root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        SemanticModel? model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (Diagnostic diagnostic in context.Diagnostics)
            if (root?.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<AttributeSyntax>() is { } policy
                && policy.FirstAncestorOrSelf<TypeDeclarationSyntax>() is { } declaration && model?.GetDeclaredSymbol(declaration, context.CancellationToken) is INamedTypeSymbol recipe)
                context.RegisterCodeFix(
                    CodeAction.Create(
                        $"Remove [{policy.Name}]: trains as {RecipeParser.Parse(recipe).First(AnnotationKind.Optimizer)?.Name ?? "its optimizer"} alone",
                        cancellation => context.Document.Without(text => Removal.Of(policy, text), cancellation),
                        nameof(IdlePolicyFix)),
                    diagnostic);
    }
}
