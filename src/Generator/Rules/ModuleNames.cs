using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Module names as PEFT's target_modules and modules_to_save spell them: a whole path or the end of one.</summary>
internal static class ModuleNames
{
    /// <summary>Whether <paramref name="name"/> means <paramref name="site"/>, in transformers 5's spelling or that of published checkpoints.</summary>
    public static bool Names(SiteModel site, string name) => Ends(site.Module, name) || (site.Published is { } published && Ends(published, name));

    /// <summary>The name a user probably meant.</summary>
    public static string Nearest(BackboneModel backbone, string name) => Nearness.Nearest(name, ShortNames(backbone)) ?? "none";

    /// <inheritdoc cref="Nearest"/>
    public static Suggestion? Suggest(BackboneModel backbone, string name) => Nearness.Nearest(name, ShortNames(backbone)) is { } nearest ? Suggestion.Of(nearest) : null;

    /// <summary>All names, for a message.</summary>
    public static string List(BackboneModel backbone) => string.Join(", ", ShortNames(backbone));

    private static IEnumerable<string> ShortNames(BackboneModel backbone) => backbone.Sites.Select(site => site.ShortName).Distinct();

    private static bool Ends(string path, string name) => path == name || path.EndsWith($".{name}", StringComparison.Ordinal);
}
