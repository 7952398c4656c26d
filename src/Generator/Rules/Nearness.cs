namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The name a user probably meant.</summary>
internal static class Nearness
{
    /// <summary>The candidate with the fewest edits from <paramref name="name"/>; of equals the first.</summary>
    public static string? Nearest(string name, IEnumerable<string> candidates) =>
        candidates.Select(candidate => (candidate, edits: Distance(name, candidate))).OrderBy(pair => pair.edits).Select(pair => pair.candidate).FirstOrDefault();

    /// <summary>The nearest candidate, or null where more than half of the name would have to change: then it was meant for something else.</summary>
    public static string? Close(string name, IEnumerable<string> candidates) =>
        Nearest(name, candidates) is { } nearest && 2 * Distance(name, nearest) <= name.Length ? nearest : null;

    /// <summary>Levenshtein distance, without regard to case.</summary>
    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                bool same = char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]);
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (same ? 0 : 1)));
            }
        }
        return row[to.Length];
    }
}
