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
        PlannedRecipe? recipe = BackboneRules.Resolve(declaration, knowledge, catalogue, findings) is { } backbone
            ? OnBackbone(declaration, backbone, findings)
            : null;
        foreach (Annotation annotation in declaration.Annotations)
            SettingCheckRules.Check(annotation, findings);
        return new Reading(findings.HasErrors ? null : recipe, Skeleton(declaration), findings.All);
    }

    private static PlannedRecipe? OnBackbone(RecipeDeclaration declaration, BackboneModel backbone, Findings findings)
    {
        OptimizerRules.Check(declaration, findings);
        Annotation[] adapters = [.. declaration.All(AnnotationKind.Adapter)];
        foreach (Annotation annotation in adapters)
            TaskRules.CheckAdapter(declaration, annotation, findings);
        AdapterModel? placed = adapters.Length == 0 ? null : PlacementRules.Resolve(adapters, backbone, findings);
        if (placed is not null)
            backbone = AddedPositions.LeftBy(placed, backbone);
        DataRules.Check(declaration, backbone, findings);
        if (adapters.Length == 0)
            return null;
        EquatableArray<SavedModule> saved = SavedModuleRules.Resolve(adapters, backbone, findings);
        if (placed is null)
            return null;
        AdapterModel adapter = placed with { Elsewhere = PlacementRules.Elsewhere(placed, backbone, saved) };
        SavedModuleRules.CheckOverlap(adapter, saved, findings);
        SharpnessModel? sharpness = SharpnessRules.Resolve(declaration, adapter, findings);
        if (declaration.First(AnnotationKind.Optimizer) is not { } optimizer || TaskTable.Find(declaration.Task) is not { } task)
            return null;
        RecipeModel recipe = new()
        {
            Declaration = declaration,
            Task = task,
            Backbone = backbone,
            Adapter = adapter,
            SavedModules = saved,
            Sharpness = sharpness,
            Optimizer = optimizer,
            Settings = SettingRules.Collect(declaration),
        };
        TaskRules.CheckHead(recipe, findings);
        return new PlannedRecipe(recipe, PlanRules.Resolve(recipe, findings));
    }

    private static SkeletonModel? Skeleton(RecipeDeclaration declaration) =>
        declaration.Shell.Faults.Count > 0 || declaration.Shell.ReservedMembers.Count > 0
            ? null
            : new SkeletonModel(declaration.Shell, TaskTable.Find(declaration.Task) ?? TaskTable.Rows[0], SettingRules.Collect(declaration));
}
