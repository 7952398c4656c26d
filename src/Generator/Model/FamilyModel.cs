namespace FlatPO.Recipes.Generator.Model;

/// <summary>A backbone class as its attributes declare it.</summary>
internal sealed record FamilyModel
{
    /// <summary>The class, <c>global::</c> qualified.</summary>
    public required string Type { get; init; }

    /// <summary><c>model_type</c> of config.json.</summary>
    public required string ModelType { get; init; }

    /// <summary>The task by its enum number.</summary>
    public required long Task { get; init; }

    /// <summary>Expression for the longest sequence, "" for none.</summary>
    public required string MaxLength { get; init; }

    /// <summary>Keys that must be the same when a recipe loads.</summary>
    public required EquatableArray<string> Shape { get; init; }

    /// <summary>At least one.</summary>
    public required EquatableArray<TowerDeclaration> Towers { get; init; }

    public required EquatableArray<SiteDeclaration> Sites { get; init; }
}

/// <summary>A stack of layers as declared: sizes are expressions over config.json.</summary>
internal sealed record TowerDeclaration
{
    /// <summary>The tower by its enum number, 0 for the only one.</summary>
    public required long Role { get; init; }

    /// <summary>Its name in the enum, "" for the only one.</summary>
    public required string Name { get; init; }

    public required string Layers { get; init; }

    public required string Weights { get; init; }

    public required string LayerWeights { get; init; }

    public required string Positions { get; init; }

    public required string PixelsPerToken { get; init; }

    public required string LayerActivations { get; init; }

    public required string? FusedActivations { get; init; }
}

/// <summary>A site as declared: sizes are expressions over config.json.</summary>
internal sealed record SiteDeclaration
{
    public required string Module { get; init; }

    public required long Role { get; init; }

    public required long Tower { get; init; }

    public required string In { get; init; }

    public required string Out { get; init; }

    public required string Bias { get; init; }

    public required string When { get; init; }

    public required string Tied { get; init; }

    public required string? Published { get; init; }
}
