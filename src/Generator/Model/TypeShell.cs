namespace FlatPO.Recipes.Generator.Model;

/// <summary>How to reopen the user's partial class.</summary>
internal sealed record TypeShell
{
    /// <summary>The namespace, "" for the global one.</summary>
    public required string Namespace { get; init; }

    /// <summary>The types around the class, outermost first.</summary>
    public required EquatableArray<ContainingType> Containing { get; init; }

    /// <summary>The class's name without type parameters; keywords are escaped.</summary>
    public required string Name { get; init; }

    /// <summary><c>&lt;T&gt;</c>, or "" for a class without type parameters.</summary>
    public required string TypeParameters { get; init; }

    /// <summary>The name metadata gives it, which no other type of the compilation has.</summary>
    public required string MetadataName { get; init; }

    /// <summary>The names among <see cref="RuntimeTypes"/> and the annotations that mean something else inside the class.</summary>
    public required EquatableArray<string> Taken { get; init; }

    /// <summary>What about the declaration keeps it from being a recipe.</summary>
    public required EquatableArray<ShapeFault> Faults { get; init; }

    /// <summary>Members the user wrote under names that a recipe emits.</summary>
    public required EquatableArray<string> ReservedMembers { get; init; }

    /// <summary>The class as a type.</summary>
    public string Self => Name + TypeParameters;
}

/// <summary>A type around the recipe.</summary>
/// <param name="Keyword"><c>class</c>, <c>struct</c>, <c>record</c>, <c>record struct</c> or <c>interface</c>.</param>
/// <param name="Name">Its name with type parameters.</param>
internal sealed record ContainingType(string Keyword, string Name);

/// <summary>A declaration that cannot be a recipe.</summary>
internal enum ShapeFault
{
    NotPartial,
    Static,
    Abstract,
    Record,
    FileLocal,
    DeclaresConstructor,
    InsideNonPartialType,
}
