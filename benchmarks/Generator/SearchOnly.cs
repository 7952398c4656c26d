using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Benchmarks;

/// <summary>A generator that asks the compiler for the classes marked [Recipe] and does nothing with them: what no generator of recipes can be faster than.</summary>
#pragma warning disable RS1036, RS1041 // never packed
[Generator(LanguageNames.CSharp)]
internal sealed class SearchOnly : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context) => context.RegisterSourceOutput(
        context.SyntaxProvider.ForAttributeWithMetadataName("FlatPO.Recipes.RecipeAttribute", static (_, _) => true, static (site, _) => site.TargetSymbol.MetadataName),
        static (_, _) => { });
}
