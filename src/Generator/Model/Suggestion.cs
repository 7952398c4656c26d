using System.Globalization;

namespace FlatPO.Recipes.Generator.Model;

/// <summary>What may stand in place of a wrong argument.</summary>
/// <param name="Source">C# source text.</param>
internal sealed record Suggestion(string Source)
{
    /// <summary>A text, with its quotes.</summary>
    public static Suggestion Of(string text) => new(Literal.Of(text));

    /// <summary>A whole number.</summary>
    public static Suggestion Of(long number) => new(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A value of a property, in the property's own type.</summary>
    public static Suggestion Of(Constant value, PropertyValue property) => new(Literal.Of(value, property, static type => type));
}
