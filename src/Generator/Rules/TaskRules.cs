using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What the task asks of the adapter and of the checkpoint.</summary>
internal static class TaskRules
{
    /// <summary>An adapter may be for some tasks alone.</summary>
    public static void CheckAdapter(RecipeDeclaration declaration, Annotation adapter, Findings findings)
    {
        if (adapter.Tasks.Count > 0 && !adapter.Tasks.Contains(declaration.Task))
            findings.Add("FPO1025", Place.Of(adapter), adapter.Name, TaskTable.NameOf(declaration.Task), string.Join(", ", adapter.Tasks.Select(TaskTable.NameOf)));
    }

    /// <summary>A checkpoint that was saved from another class has no head for the task: it begins at random and must be trained whole.</summary>
    public static void CheckHead(RecipeModel recipe, Findings findings)
    {
        BackboneModel backbone = recipe.Backbone;
        string name = TypeNames.Simple(backbone.Type);
        if (!recipe.Task.Classifies || backbone.Architectures.Count == 0 || backbone.Architectures.Contains(name))
            return;
        string[] untrained = [.. backbone.Sites.Where(site => IsHead(site, backbone) && !IsTrainedWhole(site, recipe)).Select(site => site.Module)];
        if (untrained.Length > 0)
            findings.Add("FPO1028", Place.Of(recipe.Adapter.First, "ModulesToSave"), backbone.Name, backbone.Architectures[0], string.Join("\", \"", untrained));
    }

    private static bool IsTrainedWhole(SiteModel site, RecipeModel recipe) =>
        recipe.SavedModules.Any(saved => saved.Site == site) || recipe.Adapter.Sites.Any(placed => placed.Site == site && placed.Tensors.Any(tensor => tensor.Name == "weight"));

    /// <summary>The head is what stands outside the layers and behind the base model: classifier, not pooler.</summary>
    private static bool IsHead(SiteModel site, BackboneModel backbone) =>
        site is { InLayers: false, Kind: SiteKind.Linear } && backbone.Sites.FirstOrDefault(layered => layered.InLayers) is { } inside && First(site) != First(inside);

    private static string First(SiteModel site) => site.Module.Split('.')[0];
}
