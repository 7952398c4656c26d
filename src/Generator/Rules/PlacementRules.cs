using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Where an adapter sits: in which towers, at which sites, in which layers.</summary>
internal static class PlacementRules
{
    /// <summary>The adapter at its sites, or null with findings.</summary>
    public static AdapterModel? Resolve(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        TowerModel[] towers = TowerRules.Wanted(adapter, backbone, findings);
        SiteModel[] offered = [.. backbone.Sites.Where(site => towers.Contains(backbone.TowerOf(site)))];
        SiteModel[] taken = TargetRules.HasTargets(adapter) ? TargetRules.ByModule(adapter, backbone, offered, findings) : TargetRules.ByRole(adapter, backbone, offered, findings);
        if (TowerRules.CheckOneIsMeant(adapter, backbone, taken, findings))
            SiteNameRules.Check(adapter, backbone.ModelType, offered, findings);
        PlacedTower[]? placed = Placed(adapter, backbone, taken, findings);
        if (placed is null || taken.Length == 0)
            return null;
        BoundsRules.CheckAtSites(adapter, placed, findings);
        PatternRules.Check(adapter, backbone.ModelType, placed, findings);
        SettingCheckRules.CheckAtSites(adapter, taken, findings);
        return new AdapterModel(adapter, [.. placed], []);
    }

    /// <summary>The towers that carry something; null with a finding where the range of layers does not exist in one of them.</summary>
    private static PlacedTower[]? Placed(Annotation adapter, BackboneModel backbone, SiteModel[] taken, Findings findings)
    {
        string text = adapter.Find("Layers")?.Value?.Text ?? "..";
        if (LayerRange.Parse(text) is not { } range)
        {
            findings.Add("FPO1004", Place.Of(adapter, "Layers"), text);
            return null;
        }
        NumbersAtModules numbers = new(adapter);
        List<PlacedTower> placed = [];
        foreach (TowerModel tower in backbone.Towers.Where(tower => taken.Any(site => backbone.TowerOf(site) == tower)))
        {
            (int start, int end) = (range.Start.In(tower.Layers), range.End.In(tower.Layers));
            if (start < 0 || start >= end || end > tower.Layers)
            {
                findings.Add("FPO1003", Place.Of(adapter, "Layers"), Suggestion.Of(range.MovedInto(tower.Layers)), text, start >= end ? "is empty" : "reaches beyond them", $"{tower.Layers} layers{tower.InWords("its")}");
                return null;
            }
            SiteModel[] sites = [.. taken.Where(site => backbone.TowerOf(site) == tower)];
            IReadOnlyList<EquatableArray<string>> paths = AccessorPaths.Assign(sites, backbone.Sites.Where(site => backbone.TowerOf(site) == tower));
            placed.Add(new PlacedTower(tower, start, end - 1, [.. sites.Select((site, i) => new PlacedSite(site, paths[i], Runs(numbers, site, start, end - 1)))]));
        }
        return [.. placed];
    }

    /// <summary>What the adapter adds to a site, layers with the same together.</summary>
    private static EquatableArray<LayerRun> Runs(NumbersAtModules numbers, SiteModel site, int first, int last)
    {
        if (!site.InLayers)
            return [Run(numbers, site, 0, 0)];
        if (!numbers.Vary)
            return [Run(numbers, site, first, last)];
        List<LayerRun> runs = [];
        for (int layer = first; layer <= last; layer++)
        {
            LayerRun here = Run(numbers, site, layer, layer);
            if (runs.LastOrDefault() is { } before && before == here with { First = before.First, Last = before.Last })
                runs[runs.Count - 1] = before with { Last = layer };
            else
                runs.Add(here);
        }
        return [.. runs];
    }

    /// <summary>What the adapter trains at layers that carry none, those trained whole left out.</summary>
    public static EquatableArray<PlacedSite> Elsewhere(AdapterModel adapter, BackboneModel backbone, EquatableArray<SavedModule> saved)
    {
        if (!adapter.Annotation.Tensors.Any(tensor => tensor.Where.Elsewhere))
            return [];
        NumbersAtModules numbers = new(adapter.Annotation);
        return [.. backbone.Sites.Where(site => !saved.Any(module => module.Site == site)).Select(site => new PlacedSite(site, [], Left(numbers, adapter, site, backbone.Places(site)))).Where(placed => placed.Runs.Count > 0)];
    }

    /// <summary>The layers of a site in which it carries no adapter and of which something is trained.</summary>
    private static EquatableArray<LayerRun> Left(NumbersAtModules numbers, AdapterModel adapter, SiteModel site, int layers)
    {
        PlacedTower? taken = adapter.Towers.FirstOrDefault(tower => tower.Sites.Any(placed => placed.Site == site));
        (int First, int Last)[] left = taken is null ? [(0, layers - 1)] : site.InLayers ? [(0, taken.First - 1), (taken.Last + 1, layers - 1)] : [];
        return [.. left.Where(range => range.First <= range.Last).Select(range => Run(numbers, site, range.First, range.Last, taken: false)).Where(run => run.Tensors.Count > 0)];
    }

    private static LayerRun Run(NumbersAtModules numbers, SiteModel site, int first, int last, bool taken = true)
    {
        Annotation adapter = numbers.Annotation;
        IEnumerable<PlacedTensor> tensors = adapter.Tensors.Where(tensor => tensor.IsAdded(adapter, site, taken))
            .Select(tensor => new PlacedTensor(tensor.Name, [.. tensor.Shape.Select(size => numbers.Evaluate(size, site, first))], tensor.Where.IsBias));
        return new LayerRun(first, last, [.. tensors], numbers.Evaluate(adapter.KeepsForBackward, site, first));
    }
}
