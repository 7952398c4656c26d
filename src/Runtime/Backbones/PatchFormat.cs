using System.Globalization;

namespace FlatPO.Recipes.Backbones;

/// <summary>How a backbone takes images: cut into patches, of which a square becomes one token.</summary>
/// <param name="Size">Pixels of a patch each way.</param>
/// <param name="Merge">Patches each way that become one token.</param>
/// <param name="Numbers">Numbers of a patch: channels · temporal patch · Size · Size.</param>
public sealed record PatchFormat(long Size, long Merge, long Numbers)
{
    /// <summary>How many tokens an image of this grid is.</summary>
    public long Tokens(PatchGrid grid) => grid.Count / (Merge * Merge);

    /// <summary>How many pixels an image of this grid has.</summary>
    public long Pixels(PatchGrid grid) => grid.Height * Size * grid.Width * Size;

    /// <summary>Throws FPO3031 for an image that is not of this format, FPO3030 for one of more pixels than <paramref name="budget"/> (0: no limit); <paramref name="where"/> names it.</summary>
    internal void Check(ImagePatches image, long budget, string where)
    {
        PatchGrid grid = image.Grid;
        if (grid.Frames != 1 || !IsExtent(grid.Height) || !IsExtent(grid.Width))
            throw new RecipeException("FPO3031", $"{where} is a grid of {Describe(grid)} patches; expected 1 × height × width, both multiples of {Merge}");
        if (image.Patches.Length != grid.Count * Numbers)
            throw new RecipeException("FPO3031", $"{where} has {image.Patches.Length} numbers; a grid of {Describe(grid)} patches has {grid.Count * Numbers}, {Numbers} a patch");
        if (budget > 0 && Pixels(grid) > budget)
            throw new RecipeException("FPO3030", $"{where} has {grid.Height * Size} × {grid.Width * Size} = {Pixels(grid)} pixels; allowed are {budget} (MaxPixels): resize it, or allow more");
    }

    /// <summary>A grid for messages.</summary>
    internal static string Describe(PatchGrid grid) => string.Create(CultureInfo.InvariantCulture, $"{grid.Frames} × {grid.Height} × {grid.Width}");

    private bool IsExtent(int patches) => patches > 0 && patches % Merge == 0;
}
