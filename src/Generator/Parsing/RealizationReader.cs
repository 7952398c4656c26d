using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>The runtime class that an annotation's [RealizedBy] names.</summary>
internal static class RealizationReader
{
    public static Realization? Read(INamedTypeSymbol annotation) =>
        AttributeReader.Marks(annotation, AnnotationNames.RealizedBy).FirstOrDefault() is { ConstructorArguments: [{ Value: INamedTypeSymbol { TypeKind: not TypeKind.Error } realized }, ..] }
            ? new Realization(AttributeReader.Qualified(realized), Accessor(realized), [.. Settable(realized)])
            : null;

    private static Accessor? Accessor(INamedTypeSymbol realized) =>
        Chain(realized).SelectMany(level => level.GetMembers(AnnotationNames.Place)).OfType<IMethodSymbol>().FirstOrDefault() is { } place
            ? new Accessor(AttributeReader.Qualified(place.ReturnType), IsPublic(place.ReturnType))
            : null;

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
