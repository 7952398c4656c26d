namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>
/// allowed.txt: which method the compiler lets each golden backbone take. A row is a method as a recipe annotates it, a column a backbone: <c>yes</c>, or the id of the
/// finding that refuses it. Generator.Tests hold it to the compiler.
/// </summary>
internal static class AllowedPairs
{
    private static readonly string[][] Cells = [.. File.ReadAllLines(Path.Combine(Golden.Repository, "tests", "Runtime.Tests", "Adapters", "allowed.txt")).Select(row => row.Split(" | "))];

    /// <summary>The annotations, in the order of their rows.</summary>
    internal static IReadOnlyList<string> Methods { get; } = [.. Cells.Skip(1).Select(row => row[0])];

    /// <summary>The backbones, in the order of their columns.</summary>
    internal static IReadOnlyList<string> Backbones { get; } = Cells[0][1..];

    /// <summary>The compiler's answer.</summary>
    internal static string Answer(string method, string backbone) => Cells.Single(row => row[0] == method)[1 + Backbones.ToList().IndexOf(backbone)];
}
