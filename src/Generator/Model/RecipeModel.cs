namespace FlatPO.Recipes.Generator.Model;

/// <summary>A recipe as understood: all that its emitted file says.</summary>
internal sealed record RecipeModel
{
    public required TypeShell Shell { get; init; }

    public required TaskRow Task { get; init; }

    public required BackboneModel Backbone { get; init; }

    public required AdapterModel Adapter { get; init; }

    public required EquatableArray<SavedModule> SavedModules { get; init; }

    public required SharpnessModel? Sharpness { get; init; }

    public required Annotation Optimizer { get; init; }

    public required Annotation? Schedule { get; init; }

    public required Annotation? Training { get; init; }

    public required EquatableArray<SettingModel> Settings { get; init; }

    public required PlanModel Plan { get; init; }
}

/// <summary>The backbone a recipe adapts.</summary>
internal sealed record BackboneModel
{
    /// <summary>As the user wrote it.</summary>
    public required string Name { get; init; }

    /// <summary>The runtime class, <c>global::</c> qualified.</summary>
    public required string Type { get; init; }

    public required string ModelType { get; init; }

    public required int Layers { get; init; }

    /// <summary>The longest sequence; null where there is none.</summary>
    public required long? MaxLength { get; init; }

    /// <summary>What config.json must still say when a recipe loads.</summary>
    public required EquatableArray<ShapeFact> Shape { get; init; }

    /// <summary>In the order transformers lists its modules.</summary>
    public required EquatableArray<SiteModel> Sites { get; init; }
}

/// <summary>A number of config.json the compiler counted on.</summary>
internal sealed record ShapeFact(string Key, long Value);

/// <summary>A place of a known backbone, or a whole column of them where its path has <c>{layer}</c>.</summary>
internal sealed record SiteModel
{
    public required string Module { get; init; }

    public required string? Published { get; init; }

    public required long Role { get; init; }

    public required long In { get; init; }

    public required long Out { get; init; }

    public required bool HasBias { get; init; }

    /// <summary>Whether every layer has one.</summary>
    public bool InLayers => Module.Contains("{layer}");

    /// <summary>The name PEFT's target_modules uses: the last part of the path.</summary>
    public string ShortName => Module.Substring(Module.LastIndexOf('.') + 1);

    /// <summary>Numbers in the layer's weight and bias.</summary>
    public long Count => In * Out + (HasBias ? Out : 0);
}

/// <summary>An adapter method at its sites.</summary>
/// <param name="Annotation">The attribute.</param>
/// <param name="First">The first adapted layer.</param>
/// <param name="Last">The last adapted layer.</param>
/// <param name="Sites">In module order, with the property that gives access.</param>
internal sealed record AdapterModel(Annotation Annotation, int First, int Last, EquatableArray<PlacedSite> Sites)
{
    public IEnumerable<PlacedSite> InLayers => Sites.Where(placed => placed.Site.InLayers);

    public IEnumerable<PlacedSite> Outside => Sites.Where(placed => !placed.Site.InLayers);

    /// <summary>How many places it takes of a site: one, or one a layer.</summary>
    public int Places(SiteModel site) => site.InLayers ? Last - First + 1 : 1;
}

/// <summary>A site an adapter takes.</summary>
/// <param name="Site">The site.</param>
/// <param name="Property">The property of the emitted class that gives access.</param>
/// <param name="TensorSizes">The number of elements of each tensor the adapter adds.</param>
internal sealed record PlacedSite(SiteModel Site, string Property, EquatableArray<long> TensorSizes);

/// <summary>A module trained whole.</summary>
internal sealed record SavedModule(SiteModel Site);

/// <summary>How the tensors that are perturbed are chosen.</summary>
internal enum SelectionKind
{
    All,
    TopFraction,
    Quantile,
    Random,
}

/// <summary>The sharpness policy on a known set of tensors.</summary>
internal sealed record SharpnessModel
{
    public required Annotation Annotation { get; init; }

    public required SelectionKind Selection { get; init; }

    public required double Fraction { get; init; }

    /// <summary>m, the adapter tensors in scope.</summary>
    public required int InScope { get; init; }

    /// <summary>max(1, ⌊f · m⌋), or m for <see cref="SelectionKind.All"/>.</summary>
    public required int Count { get; init; }

    public required bool Adaptive { get; init; }

    /// <summary>Whether the norm runs over the selected tensors alone.</summary>
    public required bool NormOfSelected { get; init; }
}

/// <summary>A property of the emitted Settings.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Annotation">The attribute it comes from.</param>
/// <param name="Property">The attribute's property.</param>
internal sealed record SettingModel(string Name, Annotation Annotation, PropertyValue Property);

/// <summary>What can be counted at compile time.</summary>
internal sealed record PlanModel(int TrainableTensors, long TrainableParameters, int? PerturbedTensors);
