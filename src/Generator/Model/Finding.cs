namespace FlatPO.Recipes.Generator.Model;

/// <summary>Something wrong with a recipe, and where.</summary>
/// <param name="Id">The descriptor's id, or that of a user's own bounds.</param>
/// <param name="Place">Where in the source.</param>
/// <param name="Arguments">What the message is about.</param>
/// <param name="Suggestion">What may stand at the place instead; null where that is the user's to know.</param>
internal sealed record Finding(string Id, Place Place, EquatableArray<string> Arguments, Suggestion? Suggestion = null);

/// <summary>A place in the source, by name, since a model holds no locations.</summary>
/// <param name="Attribute">The attribute's position on the class; -1 is the class's own name.</param>
/// <param name="Argument">A property written in the attribute, or the number of a positional argument; null is the whole attribute.</param>
/// <param name="Element">An element of the argument's list; -1 is the whole argument.</param>
internal sealed record Place(int Attribute, string? Argument = null, int Element = -1)
{
    /// <summary>The class's own name.</summary>
    public static Place Class { get; } = new(-1);

    /// <summary>An attribute as a whole.</summary>
    public static Place Of(Annotation annotation) => new(annotation.Position);

    /// <summary>An argument of an attribute.</summary>
    public static Place Of(Annotation annotation, string argument, int element = -1) => new(annotation.Position, argument, element);
}
