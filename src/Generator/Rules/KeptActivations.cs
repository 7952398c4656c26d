using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>What a tower keeps for backward where its numbers are <paramref name="width"/> bytes: what its layers say, and the adapters.</summary>
internal sealed class KeptActivations(RecipeModel recipe, PlacedTower tower, long width)
{
    /// <summary>Bytes of a float32.</summary>
    private const long Single = 4;

    /// <summary>That of a micro-batch.</summary>
    public TowerLayers Of(long batch)
    {
        int first = FirstTrained();
        long positions = batch * (tower.Tower.Positions + AddedPositions.Computed(tower));
        long[] layers = [.. Enumerable.Range(first, tower.Tower.Layers - first).Select(OfLayer)];
        return new TowerLayers(
            layers.Length,
            positions * RecomputedActivations.Width(recipe.Backbone, tower.Tower) * width,
            positions * layers.Sum(),
            positions * layers.DefaultIfEmpty(0).Max(),
            positions * OfAdapters(tower.Outside, 0, isFused: false) + batch * AddedPositions.Kept(tower) * width);
    }

    /// <summary>The first layer in which something is trained: below it nothing is differentiated. The number of layers where it is none of them.</summary>
    private int FirstTrained() => tower.Outside.Any(placed => placed.Site.Kind is SiteKind.Inputs or SiteKind.Embedding) ? 0 : tower.InLayers
        .Concat(Elsewhere).SelectMany(placed => placed.Runs).Select(run => run.First).DefaultIfEmpty(tower.Tower.Layers).Min();

    /// <summary>Bytes that one layer keeps at a position.</summary>
    private long OfLayer(int layer)
    {
        PlacedSite[] here = [.. tower.InLayers.Where(placed => placed.IsIn(layer))];
        return FusedActivations(here, layer) is { } fused
            ? fused * width + OfAdapters(here, layer, isFused: true)
            : tower.Tower.LayerActivations * width + OfAdapters(here, layer, isFused: false);
    }

    /// <summary>What the layer itself keeps where its feed-forward block is one operation; null where it is not.</summary>
    private long? FusedActivations(IEnumerable<PlacedSite> here, int layer) =>
        here.Concat(Elsewhere.Where(placed => placed.IsIn(layer))).Any(placed => IsFeedForward(placed.Site) && !placed.In(layer).IsLowRank)
        || recipe.SavedModules.Any(saved => IsFeedForward(saved.Site) && IsHere(saved.Site)) ? null : tower.Tower.FusedActivations;

    /// <summary>
    /// What the adapters keep at a position of one layer. Sites that read the same tensor keep it once, and not at all where the layer keeps it anyway, unless each makes a copy of it.
    /// </summary>
    private long OfAdapters(IEnumerable<PlacedSite> sites, int layer, bool isFused) => sites
        .GroupBy(placed => (Parent: placed.Site.Module.Substring(0, Math.Max(0, placed.Site.Module.LastIndexOf('.'))), placed.Site.In, IsKept: placed.Site.Role == SiteKinds.Output || (isFused && IsFeedForward(placed.Site))))
        .Sum(group =>
        {
            LayerRun[] runs = [.. group.Select(placed => placed.In(layer))];
            bool copies = runs.Any(run => run.CopiesInput) || (width != Single && !runs.All(run => run.IsLowRank));
            return runs.Sum(run => run.Own) * Single + (copies ? runs.Sum(run => run.OfInput) * Single : group.Key.IsKept ? 0 : runs.Max(run => run.OfInput) * width);
        });

    private IEnumerable<PlacedSite> Elsewhere => recipe.Adapter.Elsewhere.Where(placed => IsHere(placed.Site));

    private bool IsHere(SiteModel site) => site.InLayers && recipe.Backbone.TowerOf(site) == tower.Tower;

    private static bool IsFeedForward(SiteModel site) => (site.Role & SiteKinds.FeedForward) != 0;
}
