using System.Globalization;
using System.Reflection;

namespace FlatPO.Recipes;

/// <summary>Checks values given at run time against the bounds their annotation declares.</summary>
public static class Bounds
{
    /// <summary>The tokens before and after an image's own.</summary>
    private const int MarksOfAnImage = 2;

    /// <summary>Throws <see cref="RecipeException"/> with the declared id unless <paramref name="value"/> may stand in <paramref name="property"/> of <paramref name="annotation"/>.</summary>
    public static void Check(Type annotation, string property, double value)
    {
        PropertyInfo declared = annotation.GetProperty(property) ?? throw new ArgumentException($"{annotation.Name} has no property {property}", nameof(property));
        if (declared.GetCustomAttribute<BoundsAttribute>() is not { } bounds || Allows(bounds, value))
            return;
        throw new RecipeException(bounds.Id, string.Create(CultureInfo.InvariantCulture, $"{property} = {value} is out of bounds; allowed is {Describe(bounds)}"));
    }

    /// <summary>Throws FPO3006 where rows may be longer (in tokens) than the backbone has positions for.</summary>
    public static void CheckLength(int maxLength, long positions)
    {
        if (maxLength > positions)
            throw new RecipeException("FPO3006", $"MaxLength = {maxLength} is more than the backbone has positions for; allowed is at most {positions}");
    }

    /// <summary>Throws FPO3016 where the largest image allowed does not fit a row, an image token standing for <paramref name="pixelsPerToken"/> pixels.</summary>
    public static void CheckImageFits(int maxLength, int maxPixels, long pixelsPerToken)
    {
        long tokens = maxPixels / pixelsPerToken + MarksOfAnImage;
        if (maxLength > 0 && maxPixels > 0 && tokens > maxLength)
            throw new RecipeException("FPO3016", $"an image of MaxPixels = {maxPixels} is {tokens} tokens with its two marks, more than MaxLength = {maxLength}; allowed is MaxLength of at least {tokens}");
    }

    /// <summary>Throws FPO3040 where a micro-batch holds one example, which a contrastive loss has nothing to tell from.</summary>
    public static void CheckContrast(int batchSize)
    {
        if (batchSize == 1)
            throw new RecipeException("FPO3040", "BatchSize = 1 leaves each image with its own text alone, and the loss is 0 whatever the adapters do; allowed is at least 2");
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
