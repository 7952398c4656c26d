namespace FlatPO.Recipes.Generator.Model;

/// <summary>One tensor an adapter adds at a site.</summary>
/// <param name="Name">Behind the module path.</param>
/// <param name="Shape">One expression a dimension.</param>
/// <param name="Where">What it depends on.</param>
internal sealed record AdapterTensor(string Name, EquatableArray<string> Shape, TensorConditions Where)
{
    /// <summary>The properties its conditions name.</summary>
    public IEnumerable<string> Conditions => new[] { Where.When, Where.Unless, Where.At, Where.NotAt }.OfType<string>();

    /// <summary>Whether <paramref name="adapter"/> adds it at a site that it takes, or else at one that it leaves.</summary>
    public bool IsAdded(Annotation adapter, SiteModel site, bool taken) =>
        Where.Elsewhere != taken && (!Where.IsBias || site.HasBias)
        && (Where.When is null || adapter.IsSet(Where.When) && (Where.Is is null || adapter.Number(Where.When) == Where.Is))
        && (Where.Unless is null || !adapter.IsSet(Where.Unless))
        && (Where.Only == 0 || (Where.Only & site.Role) != 0)
        && (Where.At is null || Holds(adapter, Where.At, site.Role)) && (Where.NotAt is null || !Holds(adapter, Where.NotAt, site.Role));

    private static bool Holds(Annotation adapter, string property, long role) => ((long)adapter.Number(property) & role) != 0;
}

/// <summary>Where an adapter's tensor is.</summary>
internal sealed record TensorConditions
{
    /// <summary>A property that must be set; null for none.</summary>
    public required string? When { get; init; }

    /// <summary>The number it must have; null for any that is set.</summary>
    public required double? Is { get; init; }

    /// <summary>A property that must not be set; null for none.</summary>
    public required string? Unless { get; init; }

    /// <summary>A property of roles: at other sites it is not there; null for none.</summary>
    public required string? At { get; init; }

    /// <summary>A property of roles: at their sites it is not there; null for none.</summary>
    public required string? NotAt { get; init; }

    /// <summary>Roles: at sites of others it is not there; 0 for none.</summary>
    public required long Only { get; init; }

    /// <summary>Whether it is the site's own bias: there only at sites with one, and no number beside the backbone's.</summary>
    public required bool IsBias { get; init; }

    /// <summary>Whether it is the site's own weight: no number beside the backbone's.</summary>
    public required bool IsWeight { get; init; }

    /// <summary>Whether it is at the sites that carry no adapter.</summary>
    public required bool Elsewhere { get; init; }
}
