using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Whether an adapter can sit at what it names: its runtime class says by its methods <c>Place</c> at which kinds of sites it can.</summary>
internal static class KindRules
{
    /// <summary>The sites it can sit at; reports those that it names and cannot.</summary>
    public static SiteModel[] Offered(Annotation adapter, BackboneModel backbone, SiteModel[] sites, Findings findings)
    {
        SiteKind[] kinds = [.. adapter.Realization?.Kinds ?? []];
        if (kinds.Length == 0)
            return sites;
        string can = SiteKinds.Describe(kinds);
        EquatableArray<string> targets = adapter.Texts("TargetModules");
        for (int i = 0; i < targets.Count; i++)
            if (sites.Where(site => ModuleNames.Names(site, targets[i])).ToArray() is { Length: > 0 } named && !named.Any(site => kinds.Contains(site.Kind)))
                findings.Add("FPO1050", Place.Of(adapter, "TargetModules", i), adapter.Name, targets[i], can);
        if (targets.Count == 0 && adapter.Find("Sites") is { } property && SiteKinds.Outside((long)adapter.Number("Sites"), kinds) is var outside and not 0)
            findings.Add("FPO1050", Place.Of(adapter, "Sites"), adapter.Name, Roles.Describe(outside, property.Members), can);
        return [.. sites.Where(site => kinds.Contains(site.Kind))];
    }

    /// <summary>The sites at which it has something to train; a bias is not everywhere. Reports it where that is nowhere.</summary>
    public static SiteModel[] WithTensors(Annotation adapter, BackboneModel backbone, SiteModel[] taken, Findings findings)
    {
        SiteModel[] some = [.. taken.Where(site => adapter.Tensors.Any(tensor => tensor.IsAdded(adapter, site, taken: true)))];
        if (some.Length == 0 && adapter.Tensors.Count > 0 && !findings.HasErrorAt(adapter))
            findings.Add("FPO1051", Place.Of(adapter), adapter.Name, string.Join(", ", taken.Select(site => site.ShortName).Distinct()), backbone.ModelType, adapter.Tensors[0].Name);
        return some;
    }

    /// <summary>Reports a tensor that would have no numbers: the site lacks what it is for.</summary>
    public static void CheckTensors(Annotation adapter, BackboneModel backbone, IEnumerable<PlacedTower> placed, Findings findings)
    {
        if (findings.HasErrorAt(adapter))
            return;
        foreach (PlacedSite at in placed.SelectMany(tower => tower.Sites))
            if (at.Tensors.FirstOrDefault(tensor => tensor.Count == 0) is { } empty)
            {
                findings.Add("FPO1051", Place.Of(adapter), adapter.Name, at.Site.ShortName, backbone.ModelType, empty.Name);
                return;
            }
    }
}
