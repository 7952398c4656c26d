namespace FlatPO.Recipes.Generator.Model;

/// <summary>A recipe as understood: all that its emitted file says.</summary>
internal sealed record RecipeModel
{
    /// <summary>As the user wrote it.</summary>
    public required RecipeDeclaration Declaration { get; init; }

    public required TaskRow Task { get; init; }

    public required BackboneModel Backbone { get; init; }

    public required AdapterModel Adapter { get; init; }

    public required EquatableArray<SavedModule> SavedModules { get; init; }

    public required SharpnessModel? Sharpness { get; init; }

    public required Annotation Optimizer { get; init; }

    public required EquatableArray<SettingModel> Settings { get; init; }

    public TypeShell Shell => Declaration.Shell;

    public Annotation? Schedule => Declaration.First(AnnotationKind.Schedule);

    public Annotation? Training => Declaration.First(AnnotationKind.Training);
}

/// <summary>A recipe and what follows from it.</summary>
internal sealed record PlannedRecipe(RecipeModel Recipe, PlanModel Plan);

/// <summary>A property of the emitted Settings.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Annotation">The attribute it comes from.</param>
/// <param name="Property">The attribute's property.</param>
internal sealed record SettingModel(string Name, Annotation Annotation, PropertyValue Property);
