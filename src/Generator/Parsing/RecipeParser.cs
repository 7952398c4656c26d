using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>A class marked [Recipe] as a <see cref="RecipeDeclaration"/>.</summary>
internal static class RecipeParser
{
    public static RecipeDeclaration Parse(INamedTypeSymbol type)
    {
        List<Annotation> annotations = [];
        int position = 0;
        foreach (AttributeData attribute in type.GetAttributes())
            if (AttributeReader.Read(attribute, position++) is { } annotation)
                annotations.Add(annotation);
        if (!annotations.Exists(annotation => annotation.Kind == AnnotationKind.Training) && UnwrittenTraining(type) is { } training)
            annotations.Add(training);
        return new RecipeDeclaration(ShellParser.Parse(type, annotations), [.. annotations]);
    }

    /// <summary>Whether a class is a recipe.</summary>
    public static bool IsRecipe(INamedTypeSymbol type) => type.GetAttributes().Any(Marks);

    private static Annotation? UnwrittenTraining(INamedTypeSymbol type) =>
        type.GetAttributes().FirstOrDefault(Marks)?.AttributeClass?.ContainingAssembly.GetTypeByMetadataName(AnnotationNames.Training) is { } training ? AttributeReader.Unwritten(training) : null;

    /// <summary>The simple name first: the analyzer asks this of every attribute in the project.</summary>
    private static bool Marks(AttributeData attribute) => attribute.AttributeClass is { Name: "RecipeAttribute" } type && type.ToDisplayString() == AnnotationNames.Recipe;
}
