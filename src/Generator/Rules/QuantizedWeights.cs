using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>Bytes of a backbone whose linear layers, but for the head, are held in 4 bits: the runtime's <c>Nf4Matrix</c>.</summary>
internal static class QuantizedWeights
{
    /// <summary>Its value in <c>Precision</c>.</summary>
    public const string FourBits = "NF4";

    /// <summary><c>Nf4Matrix.Block</c>: numbers that share a scale, which is a byte.</summary>
    public const long Block = 64;

    /// <summary><c>Nf4Matrix.ScaleBlock</c>: scales that share a float32.</summary>
    public const long ScaleBlock = 256;

    private const long Half = 2, Single = 4;

    /// <summary>Bytes of <paramref name="frozen"/> numbers, <paramref name="width"/> each where they are held in full.</summary>
    public static long Bytes(RecipeModel recipe, long frozen, long width) => Sites(recipe).Aggregate(
        frozen * width, (sum, site) => sum + recipe.Backbone.Places(site) * (Packed(site.InWeight) - site.InWeight * width));

    /// <summary>Bytes in bfloat16 of the largest of them that one product computes with, neighbours that read inputs of one width together; 0 where none is.</summary>
    public static long LargestInFull(RecipeModel recipe) => Sites(recipe)
        .GroupBy(site => (Parent: site.Module.Substring(0, Math.Max(0, site.Module.LastIndexOf('.'))), site.In))
        .Select(neighbours => neighbours.Sum(site => site.InWeight) * Half).DefaultIfEmpty(0).Max();

    private static IEnumerable<SiteModel> Sites(RecipeModel recipe) => recipe.Training?.Is("Precision", FourBits) != true
        ? []
        : recipe.Backbone.Sites.Where(site => site.Kind == SiteKind.Linear && (site.Role & SiteKinds.Head) == 0);

    private static long Packed(long numbers)
    {
        long blocks = Blocks(numbers, Block), groups = Blocks(blocks, ScaleBlock);
        return blocks * Block / 2 + groups * ScaleBlock + groups * Single;
    }

    private static long Blocks(long count, long size) => (count + size - 1) / size;
}
