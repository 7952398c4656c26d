using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Collects what the rules find in one recipe.</summary>
internal sealed class Findings
{
    private static readonly HashSet<string> Warnings = ["FPO1009", "FPO1012", "FPO1013", "FPO1014", "FPO1026", "FPO2009", "FPO2011", "FPO2012", "FPO2013", "FPO2014", "FPO2015", "FPO2016", "FPO3007", "FPO3009", "FPO3017", "FPO3041"];
    private readonly List<Finding> found = [];

    /// <summary>Ids that do not keep a recipe from being written.</summary>
    public static bool IsWarning(string id) => Warnings.Contains(id);

    public bool HasErrors => found.Exists(finding => !IsWarning(finding.Id));

    public EquatableArray<Finding> All => [.. found];

    public void Add(string id, Place place, params string[] arguments) => found.Add(new Finding(id, place, [.. arguments]));
}
