using System.Reflection;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>A site of a backbone's declaration at one layer.</summary>
internal sealed record DeclaredSite(string Module, string? Published, SiteAttribute Declaration)
{
    /// <summary>
    /// All sites under a configuration, in module order: neighbours with <c>{layer}</c> that belong to one tower repeat together, layer by layer, where they stand in the list.
    /// </summary>
    internal static IEnumerable<DeclaredSite> Expand(Type backbone, ModelConfig config)
    {
        Dictionary<Towers, long> layers = backbone.GetCustomAttributes<TowerAttribute>().ToDictionary(tower => tower.Role, tower => SizeOf.Expression(tower.Layers, config)!.Value);
        Queue<SiteAttribute> left = new(backbone.GetCustomAttributes<SiteAttribute>().Where(site => SizeOf.Expression(site.When, config) != 0));
        while (left.TryDequeue(out SiteAttribute? first))
        {
            if (!InLayers(first))
            {
                yield return At(first, "");
                continue;
            }
            List<SiteAttribute> group = [first];
            while (left.TryPeek(out SiteAttribute? next) && InLayers(next) && next.Tower == first.Tower)
                group.Add(left.Dequeue());
            for (int layer = 0; layer < layers[first.Tower]; layer++)
                foreach (SiteAttribute site in group)
                    yield return At(site, $"{layer}");
        }
    }

    private static bool InLayers(SiteAttribute site) => site.Module.Contains("{layer}", StringComparison.Ordinal);

    private static DeclaredSite At(SiteAttribute site, string layer) =>
        new(site.Module.Replace("{layer}", layer, StringComparison.Ordinal), site.Published?.Replace("{layer}", layer, StringComparison.Ordinal), site);
}
