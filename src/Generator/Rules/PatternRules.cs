using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>The entries of properties that give another one's number other values at single modules, whatever the annotation.</summary>
internal static class PatternRules
{
    public static void Check(Annotation adapter, string modelType, IReadOnlyCollection<PlacedTower> towers, Findings findings)
    {
        foreach (PropertyValue pattern in adapter.Properties)
            if (pattern is { PatternOf: { } name, Value.Items.Count: > 0 } && adapter.Find(name) is { Value: not null } property)
                Check(adapter, (pattern, property), (modelType, [.. towers.SelectMany(tower => tower.Modules)]), findings);
    }

    private static void Check(Annotation adapter, (PropertyValue Pattern, PropertyValue Of) properties, (string ModelType, (SiteModel Site, string Module)[] Modules) adapted, Findings findings)
    {
        EquatableArray<string> texts = properties.Pattern.Value!.Items;
        HashSet<string> names = [], taken = [];
        for (int i = 0; i < texts.Count; i++)
        {
            Place place = Place.Of(adapter, properties.Pattern.Name, i);
            bool whole = properties.Of.Value!.Kind == ConstantKind.Integer;
            if (NumberPattern.Parse(texts[i]) is not { } entry || whole && entry.Number != Math.Floor(entry.Number))
            {
                findings.Add("FPO1031", place, texts[i], $"{(whole ? "a whole" : "a")} number in place of {properties.Of.Name}");
                continue;
            }
            (SiteModel Site, string Module)[] meant = [.. adapted.Modules.Where(at => entry.Means(at.Module))];
            if (meant.Length == 0)
                ReportUnknown(texts[i], entry, place, adapted, findings);
            else if (!names.Add(entry.Name))
                findings.Add("FPO1026", place, entry.Name, properties.Pattern.Name);
            BoundsRules.CheckEntry(properties.Of, entry, place, meant.Where(at => taken.Add(at.Module)).Select(at => at.Site), findings);
        }
    }

    /// <summary>The nearest is looked for among the ends of paths that have as many parts as the name.</summary>
    private static void ReportUnknown(string text, NumberPattern entry, Place place, (string ModelType, (SiteModel Site, string Module)[] Modules) adapted, Findings findings)
    {
        int parts = entry.Name.Split('.').Length;
        IEnumerable<string> ends = adapted.Modules.Select(at => at.Module.Split('.')).Select(path => string.Join(".", path.Skip(Math.Max(0, path.Length - parts)))).Distinct();
        string nearest = Nearness.Nearest(entry.Name, ends) ?? "none";
        findings.Add("FPO1032", place, Suggestion.Of(nearest + text.Substring(entry.Name.Length)), adapted.ModelType, entry.Name, nearest, ModuleNames.List(adapted.Modules.Select(at => at.Site)));
    }
}
