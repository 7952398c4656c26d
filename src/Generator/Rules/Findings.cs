using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Collects what the rules find in one recipe.</summary>
internal sealed class Findings
{
    private readonly List<Finding> found = [];

    /// <summary>Whether the recipe cannot be written.</summary>
    public bool HasErrors => found.Exists(finding => Severities.Of(finding.Id) == Severity.Error);

    /// <summary>Whether something is found at a place already.</summary>
    public bool Has(Place place) => found.Exists(finding => finding.Place == place);

    /// <summary>Whether an annotation has an error already, of whatever kind.</summary>
    public bool HasErrorAt(Annotation annotation) => found.Exists(finding => finding.Place.Attribute == annotation.Position && Severities.Of(finding.Id) == Severity.Error);

    public EquatableArray<Finding> All => [.. found];

    public void Add(string id, Place place, params string[] arguments) => Add(id, place, null, arguments);

    /// <summary>A finding whose cure may be known; <paramref name="suggestion"/> is null where it is not.</summary>
    public void Add(string id, Place place, Suggestion? suggestion, params string[] arguments) => found.Add(new Finding(id, place, [.. arguments], suggestion));
}
