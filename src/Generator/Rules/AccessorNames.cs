using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The properties that give access to placed adapters: q_proj becomes QProj; names that would be equal take a further part of the path.</summary>
internal static class AccessorNames
{
    public static EquatableArray<PlacedSite> Assign(IReadOnlyList<SiteModel> sites, Func<SiteModel, EquatableArray<long>> tensorSizes)
    {
        string[][] paths = [.. sites.Select(site => site.Module.Split('.'))];
        int parts = 1;
        while (parts < paths.Max(path => path.Length) && paths.Select(path => Name(path, parts)).Distinct().Count() < paths.Length)
            parts++;
        return [.. sites.Select((site, i) => new PlacedSite(site, ShortestUnique(paths, i, parts), tensorSizes(site)))];
    }

    private static string ShortestUnique(string[][] paths, int index, int longest)
    {
        for (int parts = 1; parts < longest; parts++)
            if (paths.Count(path => Name(path, parts) == Name(paths[index], parts)) == 1)
                return Name(paths[index], parts);
        return Name(paths[index], longest);
    }

    private static string Name(string[] path, int parts) =>
        string.Concat(path.Skip(path.Length - parts).Where(part => part != "{layer}").Select(Pascal));

    private static string Pascal(string part) =>
        string.Concat(part.Split('_').Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word.Substring(1)));
}
