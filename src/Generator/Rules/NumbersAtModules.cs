using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>An annotation's numbers at the modules it takes: those of its properties, or what a pattern of theirs says instead.</summary>
internal sealed class NumbersAtModules
{
    private readonly Dictionary<string, NumberPattern[]> patterns;

    public NumbersAtModules(Annotation annotation)
    {
        Annotation = annotation;
        patterns = annotation.Properties.Where(property => property is { PatternOf: not null, Value.Items.Count: > 0 })
            .GroupBy(property => property.PatternOf!)
            .ToDictionary(group => group.Key, group => group.SelectMany(property => property.Value!.Items).Select(NumberPattern.Parse).OfType<NumberPattern>().ToArray());
    }

    /// <summary>The annotation.</summary>
    public Annotation Annotation { get; }

    /// <summary>Whether modules may differ.</summary>
    public bool Vary => patterns.Count > 0;

    /// <summary>A property's number at a module; null where the annotation has none of that name.</summary>
    public double? Number(string property, string module) =>
        patterns.TryGetValue(property, out NumberPattern[] entries) && entries.FirstOrDefault(entry => entry.Means(module)) is { } special
            ? special.Number
            : Annotation.Find(property)?.Value?.Number;

    /// <summary>Whether a pattern says the property's number at a module.</summary>
    public bool IsSpecial(string property, string module) => patterns.TryGetValue(property, out NumberPattern[] entries) && entries.Any(entry => entry.Means(module));

    /// <summary>An expression over a site's sizes and these numbers; 0 where it is none.</summary>
    public long Evaluate(string expression, SiteModel site, int layer)
    {
        string module = site.ModuleAt(layer);
        return (long)(SizeExpression.Evaluate(expression, key => AtSite.Size(site, key) ?? Number(key, module)).Value ?? 0);
    }
}
