using System.Globalization;

namespace FlatPO.Recipes.Generator.Model;

/// <summary>The backbone a recipe adapts.</summary>
internal sealed record BackboneModel
{
    /// <summary>As the user wrote it.</summary>
    public required string Name { get; init; }

    /// <summary>The runtime class, <c>global::</c> qualified.</summary>
    public required string Type { get; init; }

    public required string ModelType { get; init; }

    /// <summary>The longest sequence; null where there is none.</summary>
    public required long? MaxLength { get; init; }

    /// <summary>What config.json must still say when a recipe loads.</summary>
    public required EquatableArray<ShapeFact> Shape { get; init; }

    /// <summary>The classes config.json says the checkpoint was saved from; empty where it says nothing.</summary>
    public required EquatableArray<string> Architectures { get; init; }

    /// <summary>At least one, in the order of declaration.</summary>
    public required EquatableArray<TowerModel> Towers { get; init; }

    /// <summary>In the order transformers lists its modules.</summary>
    public required EquatableArray<SiteModel> Sites { get; init; }

    /// <summary>The tower a site belongs to.</summary>
    public TowerModel TowerOf(SiteModel site) => Towers.FirstOrDefault(tower => tower.Role == site.Tower) ?? Towers[0];

    /// <summary>The other module with the same weight: the embedding of a tied head, the tied head of an embedding; null for a weight of one module.</summary>
    public string? TiedTo(SiteModel site) => site.IsTied
        ? Sites.FirstOrDefault(other => other.Kind == SiteKind.Embedding && IsOfOneWeight(other, site))?.Module ?? "the embedding"
        : site.Kind == SiteKind.Embedding ? Sites.FirstOrDefault(other => other.IsTied && IsOfOneWeight(other, site))?.Module : null;

    private static bool IsOfOneWeight(SiteModel one, SiteModel other) => one.Tower == other.Tower && one.WeightShape.Equals(other.WeightShape);

    /// <summary>How often a site occurs: once, or once a layer.</summary>
    public int Places(SiteModel site) => site.InLayers ? TowerOf(site).Layers : 1;
}

/// <summary>A stack of layers of known sizes.</summary>
internal sealed record TowerModel
{
    /// <summary>The tower by its enum number, 0 for the only one.</summary>
    public required long Role { get; init; }

    /// <summary>Language, Vision, or "" for the only one.</summary>
    public required string Name { get; init; }

    public required int Layers { get; init; }

    /// <summary>Numbers outside the layers and the sites.</summary>
    public required long Weights { get; init; }

    /// <summary>Numbers of one layer outside the sites.</summary>
    public required long LayerWeights { get; init; }

    /// <summary>Positions it computes for one example of the declared size.</summary>
    public required long Positions { get; init; }

    /// <summary>Pixels of an image that become one token of the row; 0 where images are no tokens.</summary>
    public required long PixelsPerToken { get; init; }

    /// <summary>Numbers one layer keeps for backward at one position.</summary>
    public required long LayerActivations { get; init; }

    /// <summary>The same where its feed-forward block is one operation; null where it never is.</summary>
    public required long? FusedActivations { get; init; }

    /// <summary>What stands behind "28 layers": " in its vision tower", or nothing where there is one tower.</summary>
    public string InWords(string article) => Name.Length == 0 ? "" : $" in {article} {Name.ToLowerInvariant()} tower";
}

/// <summary>A number of config.json the compiler counted on.</summary>
internal sealed record ShapeFact(string Key, long Value);

/// <summary>A place of a known backbone, or a whole column of them where its path has <c>{layer}</c>.</summary>
internal sealed record SiteModel
{
    public required string Module { get; init; }

    public required string? Published { get; init; }

    public required long Role { get; init; }

    /// <summary>Its tower by enum number, 0 on a backbone of one.</summary>
    public required long Tower { get; init; }

    public required long In { get; init; }

    public required long Out { get; init; }

    public required bool HasBias { get; init; }

    /// <summary>Whether its weight is the embedding's.</summary>
    public required bool IsTied { get; init; }

    /// <summary>Whether every layer has one.</summary>
    public bool InLayers => Module.Contains("{layer}");

    /// <summary>Its module path in one layer; outside the layers the only one.</summary>
    public string ModuleAt(int layer) => Module.Replace("{layer}", layer.ToString(CultureInfo.InvariantCulture));

    /// <summary>The name PEFT's target_modules uses: the last part of the path.</summary>
    public string ShortName => Module.Substring(Module.LastIndexOf('.') + 1);

    /// <summary>What it is made of.</summary>
    public SiteKind Kind => SiteKinds.Of(Role);

    /// <summary>Layers of its tower.</summary>
    public required int Layers { get; init; }

    /// <summary>Sizes of its weight; empty where it has none.</summary>
    public EquatableArray<long> WeightShape => Kind switch
    {
        SiteKind.Linear => [Out, In],
        SiteKind.Embedding => [In, Out],
        SiteKind.Norm => [Out],
        _ => [],
    };

    /// <summary>Numbers in its weight and bias.</summary>
    public long Count => InWeight + (HasBias ? Out : 0);

    /// <summary>Those that are its own: a tied weight is counted with the embedding.</summary>
    public long OwnCount => IsTied ? Count - InWeight : Count;

    /// <summary>Numbers in its weight.</summary>
    public long InWeight => WeightShape.Count == 0 ? 0 : WeightShape.Aggregate(1L, (product, size) => product * size);
}
