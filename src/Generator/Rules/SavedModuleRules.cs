using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Modules trained whole, and modules two adapters want.</summary>
internal static class SavedModuleRules
{
    /// <summary>The modules that ModulesToSave of any adapter names, in module order.</summary>
    public static EquatableArray<SavedModule> Resolve(IEnumerable<Annotation> adapters, BackboneModel backbone, Findings findings)
    {
        HashSet<SiteModel> saved = [];
        foreach (Annotation adapter in adapters)
        {
            EquatableArray<string> names = adapter.Texts("ModulesToSave");
            for (int i = 0; i < names.Count; i++)
            {
                SiteModel[] named = [.. backbone.Sites.Where(site => ModuleNames.Names(site, names[i]))];
                if (named.Length == 0)
                    findings.Add("FPO1010", Place.Of(adapter, "ModulesToSave", i), backbone.ModelType, names[i], ModuleNames.Nearest(backbone, names[i]), ModuleNames.List(backbone));
                saved.UnionWith(named);
            }
        }
        return [.. backbone.Sites.Where(saved.Contains).Select(site => new SavedModule(site))];
    }

    /// <summary>A module carries one adapter, or is trained whole.</summary>
    public static void CheckOverlap(IReadOnlyList<AdapterModel> adapters, EquatableArray<SavedModule> saved, Findings findings)
    {
        for (int i = 0; i < adapters.Count; i++)
        {
            foreach (PlacedSite placed in adapters[i].Sites)
            {
                string? other = saved.Any(module => module.Site == placed.Site)
                    ? "ModulesToSave"
                    : adapters.Take(i).FirstOrDefault(earlier => Meets(earlier, adapters[i], placed.Site))?.Annotation.Name;
                if (other is not null)
                    findings.Add("FPO1011", Place.Of(adapters[i].Annotation), placed.Site.ShortName, adapters[i].Annotation.Name, other);
            }
        }
    }

    private static bool Meets(AdapterModel earlier, AdapterModel later, SiteModel site) =>
        earlier.Sites.Any(placed => placed.Site == site) && (!site.InLayers || (earlier.First <= later.Last && later.First <= earlier.Last));
}
