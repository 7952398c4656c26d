using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What a recipe will train, how much of the whole that is, and whether it can be merged.</summary>
internal static class PlanRules
{
    public static PlanModel Resolve(RecipeModel recipe, Findings findings)
    {
        BackboneModel backbone = recipe.Backbone;
        long own = recipe.Adapter.Tensors.Sum(entry => entry.Tensor.Count * entry.Places);
        long beside = recipe.Adapter.Tensors.Where(entry => !entry.Tensor.IsOwn).Sum(entry => entry.Tensor.Count * entry.Places);
        long whole = recipe.SavedModules.Sum(saved => saved.Site.Count * backbone.Places(saved.Site));
        long parted = recipe.SavedModules.Sum(saved => (saved.Site.Count - saved.Site.OwnCount) * backbone.Places(saved.Site)); // a tied head trained whole parts from the embedding
        long frozen = FrozenParameters(backbone);
        int tensors = recipe.Adapter.Tensors.Sum(entry => entry.Places) + recipe.SavedModules.Sum(saved => (saved.Site.HasBias ? 2 : 1) * backbone.Places(saved.Site));
        MemoryModel memory = MemoryEstimate.Of(recipe, frozen, own + whole);
        MemoryRules.Check(recipe, memory, findings);
        return new PlanModel
        {
            TrainableTensors = tensors,
            TrainableParameters = own + whole,
            TotalParameters = frozen + beside + parted,
            PerturbedTensors = recipe.Sharpness is { Selection: not SelectionKind.Quantile } sharpness ? sharpness.Count : null,
            CannotMerge = CannotMerge(recipe, findings),
            Memory = memory,
        };
    }

    /// <summary>All numbers of the backbone's checkpoint.</summary>
    private static long FrozenParameters(BackboneModel backbone) =>
        backbone.Towers.Sum(tower => tower.Weights + tower.LayerWeights * tower.Layers) + backbone.Sites.Sum(site => site.OwnCount * backbone.Places(site));

    /// <summary>Why there can be no merged checkpoint; null where there can.</summary>
    private static string? CannotMerge(RecipeModel recipe, Findings findings)
    {
        AdapterModel adapters = recipe.Adapter;
        if (adapters.Sites.FirstOrDefault(placed => recipe.Backbone.TiedTo(placed.Site) is not null) is { } adapted)
            return Tied(adapted.Site, recipe.Backbone, adapted.Adapter, TargetRules.HasTargets(adapted.Adapter) ? "TargetModules" : "Sites", findings);
        if (recipe.SavedModules.FirstOrDefault(saved => recipe.Backbone.TiedTo(saved.Site) is not null) is { } whole)
            return Tied(whole.Site, recipe.Backbone, adapters.First, "ModulesToSave", findings);
        foreach (Annotation adapter in adapters.Annotations)
            if (SettingCheckRules.WithoutBias(adapter, [.. adapters.Sites.Where(placed => placed.Adapter == adapter).Select(placed => placed.Site)]) is { Length: > 0 } without)
                return $"{string.Join(", ", without)} have no bias to add one to";
        return adapters.Annotations.Select(adapter => adapter.CannotMerge).FirstOrDefault(reason => reason is not null);
    }

    private static string Tied(SiteModel site, BackboneModel backbone, Annotation adapter, string argument, Findings findings)
    {
        string other = backbone.TiedTo(site)!;
        if (!findings.HasErrors)
            findings.Add("FPO1014", Place.Of(adapter, argument), site.Module, other);
        return $"{site.Module} is tied to {other}";
    }
}
