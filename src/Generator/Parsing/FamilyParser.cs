using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>The backbones that this compilation and the assemblies it references declare; its own come first and win.</summary>
internal static class FamilyParser
{
    private static readonly OncePerSymbol<IAssemblySymbol, IReadOnlyList<FamilyModel>> Declared = new(static assembly => KnowsAnnotations(assembly) ? [.. ParseAll(assembly)] : []);

    public static EquatableArray<FamilyModel> ParseAll(Compilation compilation) =>
        [.. ParseAll(compilation.Assembly), .. compilation.SourceModule.ReferencedAssemblySymbols.SelectMany(Declared.Of)];

    private static IEnumerable<FamilyModel> ParseAll(IAssemblySymbol assembly) => assembly.GetAttributes()
        .Where(attribute => attribute.AttributeClass?.ToDisplayString() == AnnotationNames.DeclaresBackbone)
        .Select(attribute => attribute.ConstructorArguments is [{ Value: INamedTypeSymbol type }, ..] ? Parse(type) : null)
        .OfType<FamilyModel>();

    private static bool KnowsAnnotations(IAssemblySymbol assembly) =>
        assembly.Name == AnnotationNames.Assembly || assembly.Modules.Any(module => module.ReferencedAssemblies.Any(reference => reference.Name == AnnotationNames.Assembly));

    private static FamilyModel? Parse(INamedTypeSymbol type)
    {
        AttributeData? family = AttributeReader.Marks(type, AnnotationNames.BackboneFamily).FirstOrDefault();
        if (family is not { ConstructorArguments: [{ Value: string modelType }, { Value: { } task }] })
            return null;
        return new FamilyModel
        {
            Type = AttributeReader.Qualified(type),
            ModelType = modelType,
            Task = Convert.ToInt64(task),
            MaxLength = Text(family, "MaxLength") ?? "",
            Shape = family.NamedArguments.FirstOrDefault(argument => argument.Key == "Shape").Value is { Kind: TypedConstantKind.Array, IsNull: false } shape
                ? [.. shape.Values.Select(key => key.Value as string).OfType<string>()]
                : [.. AnnotationNames.DefaultShape],
            Towers = [.. AttributeReader.Marks(type, AnnotationNames.Tower).Select(Tower).DefaultIfEmpty(Tower(null))],
            Sites = [.. AttributeReader.Marks(type, AnnotationNames.Site).Select(Site).OfType<SiteDeclaration>()],
        };
    }

    /// <summary>A declared tower, or what a backbone that declares none is.</summary>
    private static TowerDeclaration Tower(AttributeData? mark) => new()
    {
        Role = mark?.ConstructorArguments is [{ Value: { } role }] ? Convert.ToInt64(role) : 0,
        Name = mark?.ConstructorArguments is [{ Type: INamedTypeSymbol towers, Value: { } value }] ? AttributeReader.NameOf(towers, Convert.ToInt64(value)) : "",
        Layers = Text(mark, "Layers") ?? AnnotationNames.DefaultLayers,
        Weights = Text(mark, "Weights") ?? "0",
        LayerWeights = Text(mark, "LayerWeights") ?? "0",
        Positions = Text(mark, "Positions") ?? AnnotationNames.DefaultPositions,
        PixelsPerToken = Text(mark, "PixelsPerToken") ?? "0",
        LayerActivations = Text(mark, "LayerActivations") ?? "0",
        FusedActivations = Text(mark, "FusedActivations"),
    };

    private static SiteDeclaration? Site(AttributeData mark) =>
        mark.ConstructorArguments is [{ Value: string module }, { Value: { } role }]
            ? new SiteDeclaration
            {
                Module = module,
                Role = Convert.ToInt64(role),
                In = Text(mark, "In") ?? "",
                Out = Text(mark, "Out") ?? "",
                Bias = Text(mark, "Bias") ?? "0",
                Tower = mark.NamedArguments.FirstOrDefault(argument => argument.Key == "Tower").Value.Value is { } tower ? Convert.ToInt64(tower) : 0,
                When = Text(mark, "When") ?? "1",
                Tied = Text(mark, "Tied") ?? "0",
                Published = Text(mark, "Published"),
            }
            : null;

    private static string? Text(AttributeData? mark, string name) =>
        mark?.NamedArguments.FirstOrDefault(argument => argument.Key == name).Value.Value as string;
}
