using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Which towers an adapter takes, and whether its author knows.</summary>
internal static class TowerRules
{
    /// <summary>The towers that Towers names, or all.</summary>
    public static TowerModel[] Wanted(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        PropertyValue? property = adapter.Find("Towers");
        long wanted = (long)adapter.Number("Towers");
        if (wanted == 0)
            return [.. backbone.Towers];
        long offered = backbone.Towers.Aggregate(0L, (roles, tower) => roles | tower.Role);
        if ((wanted & ~offered) is var absent and not 0)
            findings.Add("FPO1023", Place.Of(adapter, "Towers"), backbone.ModelType, Roles.Describe(absent, property!.Members), offered == 0 ? "one, without a name" : Roles.Describe(offered, property.Members));
        return [.. backbone.Towers.Where(tower => (tower.Role & wanted) != 0 || tower.Role == 0)];
    }

    /// <summary>A name or a role that is in two towers adapts both: users mean it, or do not know.</summary>
    public static void CheckChoice(Annotation adapter, BackboneModel backbone, SiteModel[] taken, Findings findings)
    {
        if (adapter.Number("Towers") != 0)
            return;
        EquatableArray<string> targets = adapter.Texts("TargetModules");
        for (int i = 0; i < targets.Count; i++)
            if (Names(backbone, taken.Where(site => ModuleNames.Names(site, targets[i]))) is { Length: > 1 } both)
            {
                findings.Add("FPO1013", Place.Of(adapter, "TargetModules", i), $"'{targets[i]}'", string.Join(" and the ", both), both[0]);
                return;
            }
        if (targets.Count == 0 && Names(backbone, taken) is { Length: > 1 } towers)
            findings.Add("FPO1013", Place.Of(adapter, "Sites"), Roles.Describe((long)adapter.Number("Sites"), adapter.Find("Sites")?.Members ?? []), string.Join(" and the ", towers), towers[0]);
    }

    private static string[] Names(BackboneModel backbone, IEnumerable<SiteModel> sites) => [.. sites.Select(site => backbone.TowerOf(site).Name).Distinct()];
}
