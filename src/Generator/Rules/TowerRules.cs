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

    /// <summary>
    /// Reports a name or a role that is in two towers where nothing says which is meant: users mean both, or do not know. False where it reported one.
    /// </summary>
    public static bool CheckOneIsMeant(Annotation adapter, BackboneModel backbone, SiteModel[] taken, Findings findings)
    {
        if (adapter.Number("Towers") != 0)
            return true;
        EquatableArray<string> targets = adapter.Texts("TargetModules");
        for (int i = 0; i < targets.Count; i++)
            if (!CheckIsInOne(backbone, taken.Where(site => ModuleNames.Names(site, targets[i])), Place.Of(adapter, "TargetModules", i), $"'{targets[i]}'", findings))
                return false;
        return targets.Count > 0 || CheckIsInOne(backbone, taken, Place.Of(adapter, "Sites"), Roles.Describe((long)adapter.Number("Sites"), adapter.Find("Sites")?.Members ?? []), findings);
    }

    private static bool CheckIsInOne(BackboneModel backbone, IEnumerable<SiteModel> sites, Place place, string words, Findings findings)
    {
        string[] towers = [.. sites.Select(site => backbone.TowerOf(site).Name).Distinct()];
        if (towers.Length < 2)
            return true;
        findings.Add("FPO1013", place, words, string.Join(" and the ", towers), towers[0]);
        return false;
    }
}
