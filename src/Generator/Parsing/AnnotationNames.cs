namespace FlatPO.Recipes.Generator.Parsing;

/// <summary>All that the generator knows of the runtime's annotations by name. A test reflects over the runtime and proves each.</summary>
internal static class AnnotationNames
{
    public const string Recipe = "FlatPO.Recipes.RecipeAttribute";
    public const string Backbone = "FlatPO.Recipes.BackboneAttribute";
    public const string Training = "FlatPO.Recipes.TrainingAttribute";

    public const string Adapter = "FlatPO.Recipes.AdapterAttribute";
    public const string Sharpness = "FlatPO.Recipes.SharpnessAttribute";
    public const string Optimizer = "FlatPO.Recipes.OptimizerAttribute";
    public const string Schedule = "FlatPO.Recipes.ScheduleAttribute";

    public const string RealizedBy = "FlatPO.Recipes.RealizedByAttribute";
    public const string AdapterTensor = "FlatPO.Recipes.AdapterTensorAttribute";
    public const string Default = "FlatPO.Recipes.DefaultAttribute";
    public const string PerRun = "FlatPO.Recipes.PerRunAttribute";
    public const string Bounds = "FlatPO.Recipes.BoundsAttribute";
    public const string PatternOf = "FlatPO.Recipes.PatternOfAttribute";
    public const string Conflict = "FlatPO.Recipes.ConflictAttribute";
    public const string ConflictAt = "FlatPO.Recipes.ConflictAtAttribute";
    public const string UsualRatio = "FlatPO.Recipes.UsualRatioAttribute";
    public const string Subset = "FlatPO.Recipes.SubsetAttribute";
    public const string WantsBias = "FlatPO.Recipes.WantsBiasAttribute";

    public const string ForTasks = "FlatPO.Recipes.ForTasksAttribute";
    public const string CannotMerge = "FlatPO.Recipes.CannotMergeAttribute";
    public const string KeepsForBackward = "FlatPO.Recipes.KeepsForBackwardAttribute";
    public const string AddsPositions = "FlatPO.Recipes.AddsPositionsAttribute";
    public const string OptimizerState = "FlatPO.Recipes.OptimizerStateAttribute";

    public const string DeclaresBackbone = "FlatPO.Recipes.DeclaresBackboneAttribute";
    public const string BackboneFamily = "FlatPO.Recipes.BackboneFamilyAttribute";
    public const string Tower = "FlatPO.Recipes.TowerAttribute";
    public const string Site = "FlatPO.Recipes.SiteAttribute";

    /// <summary>The assembly that declares all of them.</summary>
    public const string Assembly = "FlatPO.Recipes";

    /// <summary>The method of a runtime class whose return type is the typed accessor.</summary>
    public const string Place = "Place";

    /// <summary>What a declaration's properties are unless written.</summary>
    public const string DefaultLayers = "num_hidden_layers";

    /// <inheritdoc cref="DefaultLayers"/>
    public const string DefaultPositions = "length";

    /// <inheritdoc cref="DefaultLayers"/>
    public static IReadOnlyList<string> DefaultShape { get; } = ["hidden_size", "num_hidden_layers"];
}
