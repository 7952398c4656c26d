using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Module names as PEFT's target_modules and modules_to_save spell them: a whole path or the end of one; <c>*</c> stands for any text of a whole path.</summary>
internal static class ModuleNames
{
    /// <summary>Whether <paramref name="name"/> means <paramref name="site"/>, in transformers 5's spelling or that of published checkpoints.</summary>
    public static bool Names(SiteModel site, string name) => Ends(site.Module, name) || (site.Published is { } published && Ends(published, name));

    /// <summary>Whether <paramref name="name"/> means <paramref name="site"/> or a module it is part of: <c>classifier</c> of <c>classifier.out_proj</c>.</summary>
    public static bool Holds(SiteModel site, string name) => Parents(site.Module).Concat(Parents(site.Published ?? "")).Any(module => Ends(module, name));

    private static IEnumerable<string> Parents(string module)
    {
        for (int end = module.Length; end > 0; end = module.LastIndexOf('.', end - 1))
            yield return module.Substring(0, end);
    }

    /// <summary>Whether a name stands for many.</summary>
    public static bool IsPattern(string name) => name.Contains('*');

    /// <summary>The name a user probably meant.</summary>
    public static string Nearest(IEnumerable<SiteModel> sites, string name) => Nearness.Nearest(name, ShortNames(sites)) ?? "none";

    /// <inheritdoc cref="Nearest"/>
    public static Suggestion? Suggest(IEnumerable<SiteModel> sites, string name) => Nearness.Nearest(name, ShortNames(sites)) is { } nearest ? Suggestion.Of(nearest) : null;

    /// <summary>All names, for a message.</summary>
    public static string List(IEnumerable<SiteModel> sites) => string.Join(", ", ShortNames(sites));

    private static IEnumerable<string> ShortNames(IEnumerable<SiteModel> sites) => sites.Select(site => site.ShortName).Distinct();

    private static bool Ends(string path, string name) =>
        IsPattern(name) ? Matches(path, name.Split('*')) : path == name || path.EndsWith($".{name}", StringComparison.Ordinal);

    /// <summary>Whether a path is the pieces in their order, with any text between them.</summary>
    private static bool Matches(string path, string[] pieces)
    {
        string first = pieces[0], last = pieces[pieces.Length - 1];
        if (path.Length < first.Length + last.Length || !path.StartsWith(first, StringComparison.Ordinal) || !path.EndsWith(last, StringComparison.Ordinal))
            return false;
        int at = first.Length, end = path.Length - last.Length;
        foreach (string piece in pieces.Skip(1).Take(pieces.Length - 2))
        {
            int found = path.IndexOf(piece, at, end - at, StringComparison.Ordinal);
            if (found < 0)
                return false;
            at = found + piece.Length;
        }
        return true;
    }
}
