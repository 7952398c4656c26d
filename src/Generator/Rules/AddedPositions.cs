using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The positions that adapters add to every row of a tower.</summary>
internal static class AddedPositions
{
    /// <summary>Those that the layers compute like the tower's own.</summary>
    public static long Computed(PlacedTower tower) =>
        tower.Outside.Where(placed => placed.Adapter.Added is { Kept: null }).Sum(Count);

    /// <summary>Numbers that all layers together keep of those they only attend to.</summary>
    public static long Kept(PlacedTower tower) =>
        tower.Tower.Layers * tower.Outside.Sum(placed => placed.Adapter.Added is { Kept: { } kept } ? Count(placed) * At(placed, kept) : 0);

    /// <summary>The backbone as a text finds it: of its positions those are left that no adapter takes.</summary>
    public static BackboneModel LeftBy(AdapterModel adapters, BackboneModel backbone) => backbone with
    {
        MaxLength = backbone.MaxLength - adapters.Towers.Where(tower => ReadsTokens(tower, backbone)).Sum(tower => tower.Outside.Sum(Count)),
    };

    private static bool ReadsTokens(PlacedTower tower, BackboneModel backbone) =>
        backbone.Sites.Any(site => site.Kind == SiteKind.Embedding && backbone.TowerOf(site) == tower.Tower);

    private static long Count(PlacedSite placed) => placed.Adapter.Added is { } added ? At(placed, added.Positions) : 0;

    private static long At(PlacedSite placed, string expression) => new NumbersAtModules(placed.Adapter).Evaluate(expression, placed.Site, 0);
}
