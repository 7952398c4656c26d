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
        if (!annotations.Exists(annotation => annotation.Kind == AnnotationKind.Training) && TrainingType(type) is { } training)
            annotations.Add(AttributeReader.Unwritten(training, AnnotationKind.Training));
        return new RecipeDeclaration(ShellParser.Parse(type, annotations), [.. annotations]);
    }

    /// <summary>Whether a class is a recipe.</summary>
    public static bool IsRecipe(INamedTypeSymbol type) =>
        type.GetAttributes().Any(attribute => attribute.AttributeClass?.ToDisplayString() == AnnotationNames.Recipe);

    private static INamedTypeSymbol? TrainingType(INamedTypeSymbol type) =>
        type.GetAttributes().Select(attribute => attribute.AttributeClass).FirstOrDefault(known => known?.ToDisplayString() == AnnotationNames.Recipe)
            ?.ContainingAssembly.GetTypeByMetadataName(AnnotationNames.Training);
}
