namespace FlatPO.Recipes.Generator.Emission;

/// <summary>Brings the comments behind statements into one column.</summary>
internal static class Columns
{
    /// <summary>A statement longer than this takes its comment above it.</summary>
    private const int LongestStatement = 64;

    /// <summary>Aligns the trailing comments of <paramref name="text"/>.</summary>
    public static string AlignComments(string text)
    {
        (string Code, string? Comment)[] lines = [.. text.Split('\n').Select(Split)];
        int column = lines.Where(line => line.Comment is not null && !IsLong(line.Code)).Select(line => line.Code.Length).DefaultIfEmpty(0).Max() + 1;
        return string.Join("\n", lines.Select(line => Join(line.Code, line.Comment, column)));
    }

    private static string Join(string code, string? comment, int column) =>
        comment is null ? code
        : IsLong(code) ? $"{new string(' ', code.Length - code.TrimStart().Length)}// {comment}\n{code}"
        : $"{code.PadRight(column)}// {comment}";

    private static bool IsLong(string code) => code.Length > LongestStatement;

    private static (string Code, string? Comment) Split(string line)
    {
        int at = line.IndexOf(" // ", StringComparison.Ordinal);
        return at <= 0 || line.TrimStart().StartsWith("//", StringComparison.Ordinal) ? (line, null) : (line.Substring(0, at).TrimEnd(), line.Substring(at + 4));
    }
}
