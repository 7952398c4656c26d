using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The words for a site's sizes.</summary>
internal static class AtSite
{
    /// <summary><c>in</c>, <c>out</c> or <c>layers</c>; null for any other word.</summary>
    public static double? Size(SiteModel site, string key) => key switch
    {
        "in" => site.In,
        "out" => site.Out,
        "layers" => site.Layers,
        _ => null,
    };
}
