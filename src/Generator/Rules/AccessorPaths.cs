using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>
/// The properties that lead to a site, by the backbone's own structure: <c>model.layers.{layer}.self_attn.q_proj</c> is SelfAttn.QProj of its layer,
/// <c>model.visual.merger.mlp.0</c> is Merger.Mlp0 of its tower.
/// </summary>
internal static class AccessorPaths
{
    /// <summary>One path for each of <paramref name="taken"/>, which are sites of one tower; <paramref name="tower"/> is all of it.</summary>
    public static IReadOnlyList<EquatableArray<string>> Assign(IReadOnlyList<SiteModel> taken, IEnumerable<SiteModel> tower)
    {
        string[] root = Root(tower);
        EquatableArray<string>[] paths = [.. taken.Select(site => Path(site, root))];
        return [.. paths.Select((path, i) => IsClear(path, i, paths, taken) ? path : Whole(taken[i]))];
    }

    /// <summary>What the paths of the tower's layers have in common: model of model.layers.{layer}.</summary>
    private static string[] Root(IEnumerable<SiteModel> tower) =>
        tower.FirstOrDefault(site => site.InLayers)?.Module.Split('.') is { } parts ? [.. parts.Take(Array.IndexOf(parts, "{layer}") - 1)] : [];

    private static EquatableArray<string> Path(SiteModel site, string[] root)
    {
        string[] parts = site.Module.Split('.');
        int skipped = site.InLayers ? Array.IndexOf(parts, "{layer}") + 1 : Math.Min(parts.Length - 1, parts.Zip(root, (part, common) => part == common).TakeWhile(same => same).Count());
        return Properties(parts.Skip(skipped));
    }

    /// <summary>The whole module path as one property, where parts of it would be in another's way.</summary>
    private static EquatableArray<string> Whole(SiteModel site) =>
        [string.Concat(Properties(site.Module.Split('.').Where(part => part != "{layer}")))];

    private static EquatableArray<string> Properties(IEnumerable<string> parts)
    {
        List<string> names = [];
        foreach (string name in parts.Select(Pascal).Where(name => name.Length > 0))
            if (char.IsDigit(name[0]))
                names.Add(names.Count == 0 ? $"Part{name}" : Take(names) + name);
            else
                names.Add(name);
        return names.Count == 0 ? ["Module"] : [.. names];
    }

    private static string Take(List<string> names)
    {
        string last = names[names.Count - 1];
        names.RemoveAt(names.Count - 1);
        return last;
    }

    /// <summary>Whether no other site has the same path or one that goes on where this one ends.</summary>
    private static bool IsClear(EquatableArray<string> path, int index, EquatableArray<string>[] paths, IReadOnlyList<SiteModel> sites)
    {
        for (int other = 0; other < paths.Length; other++)
            if (other != index && sites[other].InLayers == sites[index].InLayers && paths[other].Take(path.Count).SequenceEqual(path))
                return false;
        return true;
    }

    private static string Pascal(string part) =>
        string.Concat(new string([.. part.Select(letter => char.IsLetterOrDigit(letter) ? letter : '_')]).Split('_').Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word.Substring(1)));
}
