using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Modules trained whole.</summary>
internal static class SavedModuleRules
{
    /// <summary>The modules that ModulesToSave of any adapter names, in module order.</summary>
    public static EquatableArray<SavedModule> Resolve(IReadOnlyList<Annotation> adapters, BackboneModel backbone, Findings findings)
    {
        HashSet<SiteModel> saved = [];
        foreach (Annotation adapter in adapters)
            saved.UnionWith(Named(adapter, backbone, findings));
        return [.. backbone.Sites.Where(saved.Contains).Select(site => new SavedModule(site))];
    }

    private static IEnumerable<SiteModel> Named(Annotation adapter, BackboneModel backbone, Findings findings)
    {
        HashSet<SiteModel> saved = [];
        EquatableArray<string> names = adapter.Texts("ModulesToSave");
        for (int i = 0; i < names.Count; i++)
        {
            if (names.Take(i).Contains(names[i]))
                findings.Add("FPO1026", Place.Of(adapter, "ModulesToSave", i), names[i], "ModulesToSave");
            SiteModel[] named = [.. backbone.Sites.Where(site => site.WeightShape.Count > 0 && ModuleNames.Holds(site, names[i]))];
            if (named.Length == 0)
                findings.Add("FPO1010", Place.Of(adapter, "ModulesToSave", i), ModuleNames.Suggest(backbone.Sites, names[i]), backbone.ModelType, names[i], ModuleNames.Nearest(backbone.Sites, names[i]), ModuleNames.List(backbone.Sites));
            saved.UnionWith(named);
        }
        return saved;
    }

    /// <summary>A module carries an adapter or is trained whole.</summary>
    public static void CheckOverlap(AdapterModel adapter, EquatableArray<SavedModule> saved, Findings findings)
    {
        foreach (PlacedSite placed in adapter.Sites)
            if (saved.Any(module => module.Site == placed.Site))
                findings.Add("FPO1011", Place.Of(adapter.Annotations.FirstOrDefault(own => own.Texts("ModulesToSave").Count > 0) ?? placed.Adapter, "ModulesToSave"), placed.Site.ShortName, placed.Adapter.Name);
    }
}
