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

    /// <summary>Maxima that depend on a site's sizes, at the tightest of the sites the adapter takes.</summary>
    public static void CheckAtSites(Annotation adapter, IEnumerable<SiteModel> sites, Findings findings)
    {
        foreach (PropertyValue property in adapter.Properties)
        {
            if (property is not { Bounds.Maximum: { } maximum, Value: { } value } || IsNumber(maximum, out _))
                continue;
            var tightest = sites.Select(site => (site, limit: SizeAt(maximum, site))).Where(pair => pair.limit is not null).OrderBy(pair => pair.limit).FirstOrDefault();
            if (tightest.limit is { } limit && value.Number > limit)
                Report(adapter, property, $" at {tightest.site.Module} [{tightest.site.Out}, {tightest.site.In}]", findings, limit);
        }
    }

    private static double? SizeAt(string expression, SiteModel site) =>
        SizeExpression.Evaluate(expression, key => AtSite.Size(site, key)).Value;

    private static bool Allows(BoundsModel bounds, double value) =>
        !double.IsNaN(value) && !double.IsInfinity(value)
        && !(value < bounds.Minimum) && !(value <= bounds.Above) && !(value >= bounds.Below)
        && !(IsNumber(bounds.Maximum, out double maximum) && value > maximum);

    private static bool IsNumber(string? text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);

    private static void Report(Annotation annotation, PropertyValue property, string where, Findings findings, double? limit = null)
    {
        BoundsModel bounds = property.Bounds!;
        findings.Add(bounds.Id, Place.Of(annotation, property.Name), Allowed(property, limit), $"{property.Name} = {Text(property.Value!.Number)}", where, Describe(bounds, limit), bounds.Id);
    }

    /// <summary>The maximum for a value above it, else what the annotation says by default, else the minimum.</summary>
    private static Suggestion? Allowed(PropertyValue property, double? limit)
    {
        BoundsModel bounds = property.Bounds!;
        Constant value = property.Value!;
        limit ??= IsNumber(bounds.Maximum, out double maximum) ? maximum : null;
        Constant? allowed = value.Number > limit ? Alike(value, Math.Floor, limit.Value)
            : property.Default is { } fallback && Allows(bounds, fallback.Number) ? fallback
            : double.IsNaN(bounds.Minimum) ? null : Alike(value, Math.Ceiling, bounds.Minimum);
        return property.Written && allowed is not null ? Suggestion.Of(allowed, property) : null;
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
