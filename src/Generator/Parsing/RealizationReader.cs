using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>The runtime class that an annotation's [RealizedBy] names.</summary>
internal static class RealizationReader
{
    public static Realization? Read(INamedTypeSymbol annotation) =>
        AttributeReader.Marks(annotation, AnnotationNames.RealizedBy).FirstOrDefault() is { ConstructorArguments: [{ Value: INamedTypeSymbol { TypeKind: not TypeKind.Error } realized }, ..] }
            ? new Realization(AttributeReader.Qualified(realized), [.. Accessors(realized)], [.. Settable(realized)])
            : null;

    /// <summary>One for each type of site a method <c>Place</c> takes, the most derived class's first.</summary>
    private static IEnumerable<Accessor> Accessors(INamedTypeSymbol realized) =>
        from place in Chain(realized).SelectMany(level => level.GetMembers(AnnotationNames.Place)).OfType<IMethodSymbol>()
        where place.Parameters.Length > 0 && SiteKinds.BySiteType.ContainsKey(place.Parameters[0].Type.Name)
        group place by SiteKinds.BySiteType[place.Parameters[0].Type.Name] into kind
        orderby kind.Key
        select new Accessor(AttributeReader.Qualified(kind.First().ReturnType), IsPublic(kind.First().ReturnType), kind.Key);

    private static bool IsPublic(ITypeSymbol? type)
    {
        for (; type is not null; type = type.ContainingType)
            if (type.DeclaredAccessibility != Accessibility.Public)
                return false;
        return true;
    }

    private static IEnumerable<string> Settable(INamedTypeSymbol realized) => Chain(realized)
        .SelectMany(level => level.GetMembers().OfType<IPropertySymbol>())
        .Where(property => property is { IsStatic: false, SetMethod.DeclaredAccessibility: Accessibility.Public })
        .Select(property => property.Name)
        .Distinct();

    private static IEnumerable<INamedTypeSymbol> Chain(INamedTypeSymbol? type)
    {
        for (; type is not null; type = type.BaseType)
            yield return type;
    }
}
