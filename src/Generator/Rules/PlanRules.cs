using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What a recipe will train, how much of the whole that is, and whether it can be merged.</summary>
internal static class PlanRules
{
    public static PlanModel Resolve(RecipeModel recipe, Findings findings)
    {
        BackboneModel backbone = recipe.Backbone;
        long own = recipe.Adapter.Tensors.Sum(entry => entry.Tensor.Count * entry.Places);
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
            TotalParameters = frozen + own + parted,
            PerturbedTensors = recipe.Sharpness is { Selection: not SelectionKind.Quantile } sharpness ? sharpness.Count : null,
            CannotMerge = CannotMerge(recipe, findings),
            Memory = memory,
        };
    }

    /// <summary>All numbers of the backbone's checkpoint.</summary>
    private static long FrozenParameters(BackboneModel backbone) =>
        backbone.Towers.Sum(tower => tower.Weights + tower.LayerWeights * tower.Layers) + backbone.Sites.Sum(site => site.OwnCount * backbone.Places(site));

    private static string? CannotMerge(RecipeModel recipe, Findings findings)
    {
        Annotation adapter = recipe.Adapter.Annotation;
        if (recipe.Adapter.Sites.Select(placed => placed.Site).Concat(recipe.SavedModules.Select(saved => saved.Site)).FirstOrDefault(site => site.IsTied) is not { } tied)
            return adapter.CannotMerge;
        bool isAdapted = recipe.Adapter.Sites.Any(placed => placed.Site == tied);
        findings.Add("FPO1014", Place.Of(adapter, !isAdapted ? "ModulesToSave" : TargetRules.HasTargets(adapter) ? "TargetModules" : "Sites"), tied.Module);
        return $"{tied.Module} is tied to the embedding";
    }
}
