using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Collects what the rules find in one recipe.</summary>
internal sealed class Findings
{
    private static readonly HashSet<string> Warnings = ["FPO1009", "FPO1012", "FPO1015", "FPO1017", "FPO2009", "FPO2011", "FPO3007"];
    private readonly List<Finding> found = [];

    /// <summary>Ids that do not keep a recipe from being written.</summary>
    public static bool IsWarning(string id) => Warnings.Contains(id);

    public bool HasErrors => found.Exists(finding => !IsWarning(finding.Id));

    /// <summary>Whether something is found at a place already.</summary>
    public bool Has(Place place) => found.Exists(finding => finding.Place == place);

    public EquatableArray<Finding> All => [.. found];

    public void Add(string id, Place place, params string[] arguments) => found.Add(new Finding(id, place, [.. arguments]));
}
