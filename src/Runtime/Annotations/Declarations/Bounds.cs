using System.Globalization;
using System.Reflection;

namespace FlatPO.Recipes;

/// <summary>Checks values given at run time against the bounds their annotation declares.</summary>
public static class Bounds
{
    /// <summary>Throws <see cref="RecipeException"/> with the declared id unless <paramref name="value"/> may stand in <paramref name="property"/> of <paramref name="annotation"/>.</summary>
    public static void Check(Type annotation, string property, double value)
    {
        PropertyInfo declared = annotation.GetProperty(property) ?? throw new ArgumentException($"{annotation.Name} has no property {property}", nameof(property));
        if (declared.GetCustomAttribute<BoundsAttribute>() is not { } bounds || Allows(bounds, value))
            return;
        throw new RecipeException(bounds.Id, string.Create(CultureInfo.InvariantCulture, $"{property} = {value} is out of bounds; allowed is {Describe(bounds)}"));
    }

    /// <summary>Checks every bounded property of <paramref name="settings"/>, an object with <paramref name="annotation"/>'s properties; bounds that depend on a site are the caller's to check.</summary>
    public static void CheckAll(Type annotation, object settings)
    {
        foreach (PropertyInfo bounded in annotation.GetProperties().Where(property => property.IsDefined(typeof(BoundsAttribute))))
        {
            PropertyInfo set = settings.GetType().GetProperty(bounded.Name) ?? throw new ArgumentException($"{settings.GetType().Name} has no property {bounded.Name}", nameof(settings));
            Check(annotation, bounded.Name, Convert.ToDouble(set.GetValue(settings), CultureInfo.InvariantCulture));
        }
    }

    private static bool Allows(BoundsAttribute bounds, double value) =>
        double.IsFinite(value)
        && !(value < bounds.Minimum) && !(value <= bounds.Above) && !(value >= bounds.Below)
        && !(double.TryParse(bounds.Maximum, CultureInfo.InvariantCulture, out double maximum) && value > maximum);

    /// <summary>The bounds in words, the way the compiler's messages put them.</summary>
    internal static string Describe(BoundsAttribute bounds)
    {
        string?[] parts =
        [
            double.IsNaN(bounds.Minimum) ? null : string.Create(CultureInfo.InvariantCulture, $"at least {bounds.Minimum}"),
            double.IsNaN(bounds.Above) ? null : string.Create(CultureInfo.InvariantCulture, $"above {bounds.Above}"),
            bounds.Maximum is null ? null : $"at most {bounds.Maximum}",
            double.IsNaN(bounds.Below) ? null : string.Create(CultureInfo.InvariantCulture, $"below {bounds.Below}"),
        ];
        return string.Join(" and ", parts.Where(part => part is not null));
    }
}
