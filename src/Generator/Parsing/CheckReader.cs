using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>What an annotation's class declares of its properties together.</summary>
internal static class CheckReader
{
    public static SettingChecks Read(INamedTypeSymbol annotation) => new(
        [.. Declared(annotation, AnnotationNames.Conflict, 4).Select(mark => new ConflictModel(mark.Texts[0], mark.Texts[1], mark.Texts[2], mark.Texts[3]))],
        [.. Declared(annotation, AnnotationNames.ConflictAt, 3).Select(ConflictAt)],
        [.. Declared(annotation, AnnotationNames.UsualRatio, 3).Select(Ratio)],
        [.. Declared(annotation, AnnotationNames.Subset, 3).Select(mark => new SubsetModel(mark.Texts[0], mark.Texts[1], mark.Texts[2]))],
        [.. Declared(annotation, AnnotationNames.WantsBias, 2).Select(mark => new BiasModel(mark.Texts[0], mark.Texts[1]))]);

    private static ConflictAtModel ConflictAt((AttributeData Mark, string[] Texts) declared) => new(
        declared.Texts[0],
        declared.Texts[1],
        declared.Mark.ConstructorArguments.Select(argument => argument.Value).OfType<int>().FirstOrDefault(),
        declared.Texts[2]);

    private static RatioModel Ratio((AttributeData Mark, string[] Texts) declared) => new(
        declared.Texts[0],
        declared.Texts[1],
        declared.Texts[2],
        AttributeReader.NamedText(declared.Mark, "Root"),
        AttributeReader.NamedNumber(declared.Mark, "AtLeast"),
        AttributeReader.NamedNumber(declared.Mark, "AtMost"));

    /// <summary>The marks of one kind with their positional texts; one that does not compile has fewer and is left out.</summary>
    private static IEnumerable<(AttributeData Mark, string[] Texts)> Declared(INamedTypeSymbol annotation, string attribute, int count) =>
        AttributeReader.Marks(annotation, attribute)
            .Select(mark => (mark, texts: mark.ConstructorArguments.Select(argument => argument.Value as string).OfType<string>().ToArray()))
            .Where(declared => declared.texts.Length == count);
}
