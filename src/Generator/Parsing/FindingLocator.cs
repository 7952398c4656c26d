using FlatPO.Recipes.Generator.Model;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>From a place by name to the source: the list's element, else the argument, else the attribute, else the class's name.</summary>
internal static class FindingLocator
{
    public static Location Locate(INamedTypeSymbol type, Place place, CancellationToken cancellation)
    {
        AttributeSyntax? attribute = place.Attribute < 0 || place.Attribute >= type.GetAttributes().Length
            ? null
            : type.GetAttributes()[place.Attribute].ApplicationSyntaxReference?.GetSyntax(cancellation) as AttributeSyntax;
        if (attribute is null)
            return type.Locations.FirstOrDefault(location => location.IsInSource) ?? Location.None;
        ExpressionSyntax? argument = place.Argument is { } name ? Argument(attribute, name) : null;
        SyntaxNode node = (SyntaxNode?)Element(argument, place.Element) ?? argument ?? (SyntaxNode)attribute;
        return node.GetLocation();
    }

    private static ExpressionSyntax? Argument(AttributeSyntax attribute, string name) =>
        attribute.ArgumentList is not { Arguments: var arguments } ? null
        : int.TryParse(name, out int position) ? (position < arguments.Count ? arguments[position].Expression : null)
        : arguments.FirstOrDefault(argument => argument.NameEquals?.Name.Identifier.ValueText == name)?.Expression;

    private static ExpressionSyntax? Element(ExpressionSyntax? list, int index)
    {
        ExpressionSyntax[] items = list switch
        {
            CollectionExpressionSyntax collection => [.. collection.Elements.OfType<ExpressionElementSyntax>().Select(element => element.Expression)],
            ArrayCreationExpressionSyntax { Initializer: { } initializer } => [.. initializer.Expressions],
            ImplicitArrayCreationExpressionSyntax array => [.. array.Initializer.Expressions],
            _ => [],
        };
        return index >= 0 && index < items.Length ? items[index] : null;
    }
}
