using System.Globalization;
using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Values against the bounds their annotation declares, whatever the annotation.</summary>
internal static class BoundsRules
{
    /// <summary>What can be judged without a site.</summary>
    public static void Check(Annotation annotation, Findings findings)
    {
        foreach (PropertyValue property in annotation.Properties)
            if (property is { Bounds: { } bounds, Value: { } value } && !Allows(bounds, value.Number))
                Report(annotation, property, "", findings);
    }

    /// <summary>Maxima that depend on a site's sizes, at the tightest of the sites the adapter takes where no pattern says something else.</summary>
    public static void CheckAtSites(Annotation adapter, IReadOnlyCollection<PlacedTower> towers, Findings findings)
    {
        NumbersAtModules numbers = new(adapter);
        foreach (PropertyValue property in adapter.Properties)
            if (Limit(property, towers.SelectMany(tower => tower.Modules).Where(at => !numbers.Vary || !numbers.IsSpecial(property.Name, at.Module)).Select(at => at.Site)) is { } tightest && property.Value!.Number > tightest.Limit)
                Report(adapter, property, tightest.Where, findings, tightest.Limit);
    }

    /// <summary>An entry of a property's pattern, by itself and at the sites where it counts.</summary>
    public static void CheckEntry(PropertyValue property, NumberPattern entry, Place place, IEnumerable<SiteModel> sites, Findings findings)
    {
        PropertyValue judged = property with { Value = property.Value! with { Number = entry.Number }, Written = true };
        Suggestion? Instead(Constant? allowed) => allowed is null ? null : Suggestion.Of($"{entry.Name}={Text(allowed.Number)}");
        if (judged.Bounds is { } bounds && !Allows(bounds, entry.Number))
            Report(judged, (place, Instead(Allowed(judged, null))), "", findings, null);
        else if (Limit(judged, sites) is { } tightest && entry.Number > tightest.Limit)
            Report(judged, (place, Instead(Allowed(judged, tightest.Limit))), tightest.Where, findings, tightest.Limit);
    }

    /// <summary>The smallest of a property's maxima at some sites, and where that is; null where sites have no say.</summary>
    private static (double Limit, string Where)? Limit(PropertyValue property, IEnumerable<SiteModel> sites)
    {
        if (property is not { Bounds.Maximum: { } maximum, Value: not null } || IsNumber(maximum, out _))
            return null;
        var tightest = sites.Distinct().Select(site => (site, limit: SizeAt(maximum, site))).Where(pair => pair.limit is not null).OrderBy(pair => pair.limit).FirstOrDefault();
        return tightest.limit is { } limit ? (limit, $" at {tightest.site.Module} [{tightest.site.Out}, {tightest.site.In}]") : null;
    }

    private static double? SizeAt(string expression, SiteModel site) =>
        SizeExpression.Evaluate(expression, key => AtSite.Size(site, key)).Value;

    private static bool Allows(BoundsModel bounds, double value) =>
        !double.IsNaN(value) && !double.IsInfinity(value)
        && !(value < bounds.Minimum) && !(value <= bounds.Above) && !(value >= bounds.Below)
        && !(IsNumber(bounds.Maximum, out double maximum) && value > maximum);

    private static bool IsNumber(string? text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

    private static void Report(Annotation annotation, PropertyValue property, string where, Findings findings, double? limit = null) =>
        Report(property, (Place.Of(annotation, property.Name), property.Written && Allowed(property, limit) is { } allowed ? Suggestion.Of(allowed, property) : null), where, findings, limit);

    private static void Report(PropertyValue property, (Place Place, Suggestion? Instead) at, string where, Findings findings, double? limit)
    {
        BoundsModel bounds = property.Bounds!;
        findings.Add(bounds.Id, at.Place, at.Instead, $"{property.Name} = {Text(property.Value!.Number)}", where, Describe(bounds, limit), bounds.Id);
    }

    /// <summary>The maximum for a value above it, else what the annotation says by default, else the minimum.</summary>
    private static Constant? Allowed(PropertyValue property, double? limit)
    {
        BoundsModel bounds = property.Bounds!;
        Constant value = property.Value!;
        limit ??= IsNumber(bounds.Maximum, out double maximum) ? maximum : null;
        return value.Number > limit ? Alike(value, Math.Floor, limit.Value)
            : property.Default is { } fallback && Allows(bounds, fallback.Number) ? fallback
            : double.IsNaN(bounds.Minimum) ? null : Alike(value, Math.Ceiling, bounds.Minimum);
    }

    /// <summary>A number of the kind the property takes.</summary>
    private static Constant Alike(Constant value, Func<double, double> rounding, double number) =>
        value.Kind == ConstantKind.Integer ? Constant.OfInteger((long)rounding(number)) : Constant.Of(number);

    /// <summary>The bounds in the words the runtime uses.</summary>
    private static string Describe(BoundsModel bounds, double? limit)
    {
        string?[] parts =
        [
            double.IsNaN(bounds.Minimum) ? null : $"at least {Text(bounds.Minimum)}",
            double.IsNaN(bounds.Above) ? null : $"above {Text(bounds.Above)}",
            bounds.Maximum is null ? null : $"at most {(limit is { } most ? Text(most) : bounds.Maximum)}",
            double.IsNaN(bounds.Below) ? null : $"below {Text(bounds.Below)}",
        ];
        return string.Join(" and ", parts.Where(part => part is not null));
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
