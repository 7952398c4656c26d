using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Where adapters sit: in which towers, at which sites, in which layers.</summary>
internal static class PlacementRules
{
    /// <summary>What reading an embedding keeps of its input, in float32 numbers: an id of 8 bytes.</summary>
    private const long IdWidth = 2;

    /// <summary>The adapters at their sites, or null with findings.</summary>
    public static AdapterModel? Resolve(IReadOnlyList<Annotation> adapters, BackboneModel backbone, Findings findings)
    {
        (Annotation Adapter, SiteModel[] Sites)[] taken = [.. adapters.Select(adapter => (adapter, Taken(adapter, backbone, findings)))];
        CheckApart(taken, findings);
        PlacedTower[]? placed = Placed(taken, backbone, findings);
        if (placed is null || taken.Any(each => each.Sites.Length == 0))
            return null;
        foreach ((Annotation adapter, SiteModel[] sites) in taken)
        {
            PlacedTower[] own = [.. placed.Select(tower => tower.Of(adapter))];
            BoundsRules.CheckAtSites(adapter, own, findings);
            PatternRules.Check(adapter, backbone.ModelType, own, findings);
            SettingCheckRules.CheckAtSites(adapter, sites, findings);
            KindRules.CheckTensors(adapter, backbone, own, findings);
        }
        return new AdapterModel([.. adapters], [.. placed], []);
    }

    private static SiteModel[] Taken(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        TowerModel[] towers = TowerRules.Wanted(adapter, backbone, findings);
        SiteModel[] inTowers = [.. backbone.Sites.Where(site => towers.Contains(backbone.TowerOf(site)))];
        SiteModel[] offered = KindRules.Offered(adapter, backbone, inTowers, findings);
        SiteModel[] taken = TargetRules.HasTargets(adapter) ? TargetRules.ByModule(adapter, backbone, offered, findings) : TargetRules.ByRole(adapter, backbone, offered, findings);
        if (taken.Length > 0)
            taken = KindRules.WithTensors(adapter, backbone, taken, findings);
        if (TowerRules.CheckOneIsMeant(adapter, backbone, taken, findings))
            SiteNameRules.Check(adapter, backbone.ModelType, offered, findings);
        return taken;
    }

    /// <summary>A site takes one adapter.</summary>
    private static void CheckApart((Annotation Adapter, SiteModel[] Sites)[] taken, Findings findings)
    {
        for (int i = 1; i < taken.Length; i++)
            foreach ((Annotation before, SiteModel[] sites) in taken.Take(i))
                if (sites.Intersect(taken[i].Sites).FirstOrDefault() is { } shared)
                    findings.Add("FPO1055", Place.Of(taken[i].Adapter), before.Name, taken[i].Adapter.Name, shared.ShortName);
    }

    /// <summary>The towers that carry something; null with a finding where a range of layers does not exist in one of them.</summary>
    private static PlacedTower[]? Placed((Annotation Adapter, SiteModel[] Sites)[] taken, BackboneModel backbone, Findings findings)
    {
        List<PlacedTower> placed = [];
        foreach (TowerModel tower in backbone.Towers)
        {
            (Annotation Adapter, SiteModel[] Sites)[] here = [.. taken.Select(each => (each.Adapter, each.Sites.Where(site => backbone.TowerOf(site) == tower).ToArray())).Where(each => each.Item2.Length > 0)];
            if (here.Length == 0)
                continue;
            if (LayerRules.Range(here, tower, findings) is not var (first, last))
                return null;
            SiteModel[] sites = [.. backbone.Sites.Where(site => here.Any(each => each.Sites.Contains(site)))];
            IReadOnlyList<EquatableArray<string>> paths = AccessorPaths.Assign(sites, backbone.Sites.Where(site => backbone.TowerOf(site) == tower));
            Dictionary<Annotation, NumbersAtModules> numbers = here.ToDictionary(each => each.Adapter, each => new NumbersAtModules(each.Adapter));
            placed.Add(new PlacedTower(tower, first, last, [.. sites.Select((site, i) => Placed(numbers[here.First(each => each.Sites.Contains(site)).Adapter], site, paths[i]))]));

            PlacedSite Placed(NumbersAtModules own, SiteModel site, EquatableArray<string> path) => new(site, own.Annotation, path, Runs(own, site, first, last));
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

    /// <summary>What an adapter trains at sites that carry none, those trained whole left out.</summary>
    public static EquatableArray<PlacedSite> Elsewhere(AdapterModel adapters, BackboneModel backbone, EquatableArray<SavedModule> saved)
    {
        if (adapters.Annotations.FirstOrDefault(adapter => adapter.Tensors.Any(tensor => tensor.Where.Elsewhere)) is not { } adapter)
            return [];
        NumbersAtModules numbers = new(adapter);
        return [.. from site in backbone.Sites
                   where !saved.Any(module => module.Site == site)
                   let placed = new PlacedSite(site, adapter, [], Left(numbers, adapters, site, backbone.Places(site)))
                   where placed.Runs.Count > 0
                   select placed];
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
            .Select(tensor => new PlacedTensor(tensor.Name, [.. tensor.Shape.Select(size => numbers.Evaluate(size, site, first))], tensor.Where.IsBias || (tensor.Where.IsWeight && !site.IsTied)));
        SiteModel reads = site.Kind == SiteKind.Embedding ? site with { In = IdWidth } : site;
        long kept = numbers.Evaluate(adapter.KeepsForBackward, reads, first), own = numbers.Evaluate(adapter.KeepsForBackward, site with { In = 0 }, first);
        bool isLowRank = site.Kind == SiteKind.Linear && numbers.Evaluate(adapter.IsLowRank, site, first) != 0, copiesInput = numbers.Evaluate(adapter.CopiesInput, site, first) != 0;
        return new LayerRun(first, last, [.. tensors], own, kept - own, isLowRank, copiesInput);
    }
}
