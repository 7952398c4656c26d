using System.Reflection;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>How many numbers a backbone's weights have: by what its class declares to the compiler, and by what it builds.</summary>
internal static class DeclaredTotal
{
    /// <summary>The weights of all sites that have their own, and what the towers declare beside them.</summary>
    internal static long Of(Type backbone, ModelConfig config)
    {
        TowerAttribute[] towers = [.. backbone.GetCustomAttributes<TowerAttribute>()];
        SiteAttribute[] sites = [.. backbone.GetCustomAttributes<SiteAttribute>()];
        long total = 0;
        foreach (TowerAttribute tower in towers)
        {
            long layers = Size(tower.Layers);
            total += Size(tower.Weights) + (layers * Size(tower.LayerWeights));
            foreach (SiteAttribute site in sites.Where(site => site.Tower == tower.Role && site.Module.Contains("{layer}", StringComparison.Ordinal)))
                total += layers * SizeOfSite(site);
        }
        return total + sites.Where(site => !site.Module.Contains("{layer}", StringComparison.Ordinal)).Sum(SizeOfSite);

        long Size(string expression) => SizeOf.Expression(expression, config) ?? throw new InvalidOperationException($"{backbone.Name}: {expression} wants a key that {config.Path} lacks");

        long SizeOfSite(SiteAttribute site) =>
            Size(site.When) == 0 || (SizeOf.Expression(site.Tied, config) ?? 0) != 0 || site.Role == Sites.Inputs ? 0
            : ((site.Role == Sites.Norm ? 1 : Size(site.In)) * Size(site.Out)) + (Size(site.Bias) * Size(site.Out));
    }

    internal static long Of(WeightTable weights) => weights.All.Sum(weight => weight.Shape.Aggregate(1L, (product, size) => product * size));
}
