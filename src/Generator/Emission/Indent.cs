namespace FlatPO.Recipes.Generator.Emission;

/// <summary>Moves text to where it stands in the emitted file.</summary>
internal static class Indent
{
    /// <summary>Every line behind <paramref name="indent"/>; blank lines stay empty.</summary>
    public static string All(string text, string indent) =>
        string.Join("\n", text.Split('\n').Select(line => line.Trim().Length == 0 ? "" : indent + line.TrimEnd()));

    /// <summary>Every line but the first, which a template has put in its place, so many columns further in.</summary>
    public static string Rest(string text, int columns) => text.Replace("\n", "\n" + new string(' ', columns));
}
