namespace FlatPO.Recipes;

/// <summary>
/// What a recipe reports when it cannot go on. The id is the one the compiler uses for the same mistake
/// (<c>docs/diagnostics/FPO####.md</c>); the message names the value, the place and what is allowed.
/// </summary>
public sealed class RecipeException : Exception
{
    /// <summary>Creates the exception; the message shown is <c>"{id}: {message}"</c>.</summary>
    public RecipeException(string id, string message, Exception? inner = null)
        : base($"{id}: {message}", inner) => Id = id;

    /// <summary>The diagnostic id, for example <c>FPO4002</c>.</summary>
    public string Id { get; }
}
