using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>A declaration and what is known beside it, judged rule by rule. A pure function: the generator and the analyzer both call it.</summary>
internal static class RecipeResolver
{
    public static Reading Resolve(RecipeDeclaration declaration, Knowledge knowledge, EquatableArray<ConfigFacts> catalogue)
    {
        Findings findings = new();
        DeclarationRules.Check(declaration, findings);
        foreach (Annotation annotation in declaration.Annotations)
        {
            RealizationRules.Check(annotation, findings);
            BoundsRules.Check(annotation, findings);
        }
        RecipeModel? recipe = BackboneRules.Resolve(declaration, knowledge, catalogue, findings) is { } backbone
            ? OnBackbone(declaration, backbone, findings)
            : null;
        foreach (Annotation annotation in declaration.Annotations)
            SettingCheckRules.Check(annotation, findings);
        return new Reading(findings.HasErrors ? null : recipe, Skeleton(declaration), findings.All);
    }

    private static RecipeModel? OnBackbone(RecipeDeclaration declaration, BackboneModel backbone, Findings findings)
    {
        DataRules.Check(declaration, backbone, findings);
        if (declaration.First(AnnotationKind.Adapter) is not { } annotation)
            return null;
        AdapterModel? placed = PlacementRules.Resolve(annotation, backbone, findings);
        EquatableArray<SavedModule> saved = SavedModuleRules.Resolve(annotation, backbone, findings);
        if (placed is not { } adapter)
            return null;
        SavedModuleRules.CheckOverlap(adapter, saved, findings);
        SharpnessModel? sharpness = SharpnessRules.Resolve(declaration, adapter, findings);
        if (declaration.First(AnnotationKind.Optimizer) is not { } optimizer || TaskTable.Find(declaration.Task) is not { } task)
            return null;
        return new RecipeModel
        {
            Shell = declaration.Shell,
            Task = task,
            Backbone = backbone,
            Adapter = adapter,
            SavedModules = saved,
            Sharpness = sharpness,
            Optimizer = optimizer,
            Schedule = declaration.First(AnnotationKind.Schedule),
            Training = declaration.First(AnnotationKind.Training),
            Settings = SettingRules.Collect(declaration),
            Plan = Plan(adapter, saved, backbone, sharpness),
        };
    }

    private static PlanModel Plan(AdapterModel adapter, EquatableArray<SavedModule> saved, BackboneModel backbone, SharpnessModel? sharpness)
    {
        long tensors = adapter.Sites.Sum(placed => placed.TensorSizes.Count * adapter.Places(placed.Site));
        long numbers = adapter.Sites.Sum(placed => placed.TensorSizes.Sum() * adapter.Places(placed.Site));
        foreach (SiteModel site in saved.Select(module => module.Site))
        {
            int places = site.InLayers ? backbone.Layers : 1;
            tensors += (site.HasBias ? 2 : 1) * places;
            numbers += site.Count * places;
        }
        int? perturbed = sharpness is { Selection: not SelectionKind.Quantile } ? sharpness.Count : null;
        return new PlanModel((int)tensors, numbers, perturbed);
    }

    private static SkeletonModel? Skeleton(RecipeDeclaration declaration) =>
        declaration.Shell.Faults.Count > 0 || declaration.Shell.ReservedMembers.Count > 0
            ? null
            : new SkeletonModel(declaration.Shell, TaskTable.Find(declaration.Task) ?? TaskTable.Rows[0], SettingRules.Collect(declaration));
}
