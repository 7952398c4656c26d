using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>How large a row is that estimates are made for.</summary>
/// <param name="Length">Tokens of a row.</param>
/// <param name="Pixels">Pixels of its image; 0 where the recipe sets no limit, which counts no image.</param>
/// <param name="IsDeclared">Whether the recipe says the length.</param>
internal sealed record RunSize(long Length, long Pixels, bool IsDeclared)
{
    /// <summary>What is taken where a recipe leaves the length to its data.</summary>
    private const long UndeclaredLength = 512;

    /// <summary>What the training attribute says.</summary>
    public static RunSize Of(RecipeDeclaration declaration)
    {
        Annotation? training = declaration.First(AnnotationKind.Training);
        long length = (long)(training?.Number("MaxLength") ?? 0), pixels = (long)(training?.Number("MaxPixels") ?? 0);
        return new RunSize(length > 0 ? length : UndeclaredLength, Math.Max(0, pixels), length > 0);
    }

    /// <summary>The same, on a backbone with so many positions.</summary>
    public RunSize Within(long? longest) => longest is { } most && most < Length ? this with { Length = most } : this;

    /// <summary>The words <c>length</c> and <c>pixels</c> of an expression.</summary>
    public double? Find(string word) => word switch
    {
        "length" => Length,
        "pixels" => Pixels,
        _ => null,
    };
}
