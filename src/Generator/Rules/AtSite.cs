using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Expressions over a site's sizes and an annotation's numbers.</summary>
internal static class AtSite
{
    /// <summary>The value at a site; 0 where the expression is none.</summary>
    public static long Number(string expression, Annotation annotation, SiteModel site) =>
        (long)(SizeExpression.Evaluate(expression, key => Size(site, key) ?? annotation.Find(key)?.Value?.Number).Value ?? 0);

    /// <summary><c>in</c>, <c>out</c> or <c>layers</c>; null for any other word.</summary>
    public static double? Size(SiteModel site, string key) => key switch
    {
        "in" => site.In,
        "out" => site.Out,
        "layers" => site.Layers,
        _ => null,
    };
}
