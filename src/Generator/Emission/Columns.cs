namespace FlatPO.Recipes.Generator.Emission;

/// <summary>Brings the comments behind statements into one column.</summary>
internal static class Columns
{
    /// <summary>Aligns the trailing comments of <paramref name="text"/>.</summary>
    public static string AlignComments(string text)
    {
        (string Code, string? Comment)[] lines = [.. text.Split('\n').Select(Split)];
        int column = lines.Where(line => line.Comment is not null).Select(line => line.Code.Length).DefaultIfEmpty(0).Max() + 1;
        return string.Join("\n", lines.Select(line => line.Comment is { } comment ? $"{line.Code.PadRight(column)}// {comment}" : line.Code));
    }

    private static (string Code, string? Comment) Split(string line)
    {
        int at = line.IndexOf(" // ", StringComparison.Ordinal);
        return at <= 0 || line.TrimStart().StartsWith("//", StringComparison.Ordinal) ? (line, null) : (line.Substring(0, at).TrimEnd(), line.Substring(at + 4));
    }
}
