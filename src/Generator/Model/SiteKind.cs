namespace FlatPO.Recipes.Generator.Model;

/// <summary>What a site is made of, which decides how an adapter is placed there.</summary>
internal enum SiteKind
{
    Linear,
    Embedding,
    Norm,
    Inputs,
}

/// <summary>The kinds, one row each: a role's number in <c>Sites</c>, the runtime's type and verb, words.</summary>
internal static class SiteKinds
{
    private static readonly (SiteKind Kind, long Role, string SiteType, string Verb, string Words)[] Rows =
    [
        (SiteKind.Linear, 0, "Projection", "Place", "linear layers"),
        (SiteKind.Embedding, 1 << 9, "EmbeddingSite", "PlaceAtEmbedding", "embeddings"),
        (SiteKind.Norm, 1 << 10, "NormSite", "PlaceAtNorm", "norms"),
        (SiteKind.Inputs, 1 << 11, "InputSite", "PlaceAtInputs", "what enters the layers"),
    ];

    /// <summary>The runtime's <c>Sites.Head</c>.</summary>
    public const long Head = 1 << 7;

    /// <summary>The runtime's <c>Sites.Output</c>.</summary>
    public const long Output = 1 << 3;

    /// <summary>The runtime's <c>Sites.FeedForward</c>.</summary>
    public const long FeedForward = 1 << 4 | 1 << 5 | 1 << 6;

    /// <summary>The roles that are no linear layers, by kind.</summary>
    public static IReadOnlyDictionary<SiteKind, long> OwnRoles { get; } = Rows.Skip(1).ToDictionary(row => row.Kind, row => row.Role);

    /// <summary>The runtime's site types by name, which the parameters of <c>Place</c> have.</summary>
    public static IReadOnlyDictionary<string, SiteKind> BySiteType { get; } = Rows.ToDictionary(row => row.SiteType, row => row.Kind);

    /// <summary>The kind of a site of this role.</summary>
    public static SiteKind Of(long role) => Rows.Skip(1).FirstOrDefault(row => (row.Role & role) != 0).Kind;

    /// <summary>The roles among <paramref name="roles"/> that are of other kinds than <paramref name="kinds"/>.</summary>
    public static long Outside(long roles, IEnumerable<SiteKind> kinds)
    {
        long own = OwnRoles.Values.Aggregate(0L, (all, role) => all | role);
        return kinds.Contains(SiteKind.Linear) ? roles & own & ~Within(kinds) : roles & ~Within(kinds);
    }

    /// <summary>The method of the runtime's placement that places an adapter at one.</summary>
    public static string Verb(SiteKind kind) => Rows[(int)kind].Verb;

    /// <summary>For messages: linear layers and embeddings.</summary>
    public static string Describe(IEnumerable<SiteKind> kinds) => string.Join(" and ", kinds.Distinct().OrderBy(kind => kind).Select(kind => Rows[(int)kind].Words));

    private static long Within(IEnumerable<SiteKind> kinds) => kinds.Aggregate(0L, (all, kind) => all | Rows[(int)kind].Role);
}
