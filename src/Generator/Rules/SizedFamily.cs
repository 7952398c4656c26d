using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Where to report what a configuration lacks.</summary>
internal sealed record Reporting(Place Place, Findings Findings);

/// <summary>A family's expressions evaluated on one config.json.</summary>
internal sealed class SizedFamily(FamilyModel family, ConfigFacts facts, RunSize run, Reporting reporting)
{
    private bool failed;

    /// <summary>The backbone, or null with a finding about the key that is missing.</summary>
    public BackboneModel? Build(string name)
    {
        long? longest = family.MaxLength.Length == 0 ? null : Size(family.MaxLength);
        BackboneModel backbone = new()
        {
            Name = name,
            Type = family.Type,
            ModelType = family.ModelType,
            MaxLength = longest,
            Shape = [.. family.Shape.Where(key => facts.Find(key) is not null).Select(key => new ShapeFact(key, Size(key)))],
            Architectures = [.. facts.Values.Where(fact => fact.Kind == FactKind.Text && fact.Key.StartsWith("architectures.", StringComparison.Ordinal)).Select(fact => fact.Text)],
            Towers = [.. family.Towers.Select(tower => Tower(tower, run.Within(longest)))],
            Sites = [.. family.Sites.Where(site => Size(site.When) != 0).Select(Site)],
        };
        return failed ? null : backbone;
    }

    private TowerModel Tower(TowerDeclaration tower, RunSize size) => new()
    {
        Role = tower.Role,
        Name = tower.Name,
        Layers = (int)Size(tower.Layers),
        Weights = Size(tower.Weights),
        LayerWeights = Size(tower.LayerWeights),
        Positions = Size(tower.Positions, size),
        PixelsPerToken = Size(tower.PixelsPerToken),
        LayerActivations = Size(tower.LayerActivations),
        FusedActivations = tower.FusedActivations is { } fused ? Size(fused) : null,
    };

    private SiteModel Site(SiteDeclaration site) => new()
    {
        Module = site.Module,
        Published = site.Published,
        Role = site.Role,
        Tower = site.Tower,
        In = Size(site.In),
        Out = Size(site.Out),
        HasBias = Size(site.Bias) != 0,
        IsTied = Size(site.Tied) != 0,
        Layers = (int)Size((family.Towers.FirstOrDefault(tower => tower.Role == site.Tower) ?? family.Towers[0]).Layers),
    };

    private long Size(string expression, RunSize? size = null)
    {
        Size value = SizeExpression.Evaluate(expression, key => size?.Find(key) ?? (facts.Find(key) is { Kind: not FactKind.Text } fact ? fact.Number : null));
        if (value.Value is { } number)
            return (long)number;
        if (!failed)
            reporting.Findings.Add("FPO0008", reporting.Place, facts.Path, value.MissingKey is { } key ? $"the key '{key}' is missing" : value.Error!);
        failed = true;
        return 0;
    }
}
