using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>A class marked [Recipe] as a <see cref="RecipeDeclaration"/>.</summary>
internal static class RecipeParser
{
    public static RecipeDeclaration Parse(INamedTypeSymbol type)
    {
        List<Annotation> annotations = [];
        List<IReadOnlyList<Word>> words = [];
        int position = 0;
        foreach (AttributeData attribute in type.GetAttributes())
            if (AttributeReader.Read(attribute, position++) is { } annotation)
                Add(annotation, attribute.AttributeClass!);
        if (!annotations.Exists(annotation => annotation.Kind == AnnotationKind.Training) && TrainingType(type) is { } training && AttributeReader.Unwritten(training) is { } unwritten)
            Add(unwritten, training);
        return new RecipeDeclaration(ShellParser.Parse(type, words), [.. annotations]);

        void Add(Annotation annotation, INamedTypeSymbol declared)
        {
            annotations.Add(annotation);
            words.Add(AttributeReader.Words(declared));
        }
    }

    /// <summary>Whether a class is a recipe.</summary>
    public static bool IsRecipe(INamedTypeSymbol type) => type.GetAttributes().Any(Marks);

    private static INamedTypeSymbol? TrainingType(INamedTypeSymbol type) =>
        type.GetAttributes().FirstOrDefault(Marks)?.AttributeClass?.ContainingAssembly.GetTypeByMetadataName(AnnotationNames.Training);

    /// <summary>The simple name first: the analyzer asks this of every attribute in the project.</summary>
    private static bool Marks(AttributeData attribute) => attribute.AttributeClass is { Name: "RecipeAttribute" } type && type.ToDisplayString() == AnnotationNames.Recipe;
}
