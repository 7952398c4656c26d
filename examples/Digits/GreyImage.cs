namespace FlatPO.Recipes.Examples.Digits;

/// <summary>A grey image: levels from 0 (black) to 1 (white), row by row.</summary>
public sealed record GreyImage(int Height, int Width, float[] Levels)
{
    /// <summary>The level at a pixel; black outside the image.</summary>
    public float this[int y, int x] => y >= 0 && y < Height && x >= 0 && x < Width ? Levels[y * Width + x] : 0;

    /// <summary>A new image of the same size whose level at (y, x) is <paramref name="level"/>(y, x).</summary>
    public GreyImage Paint(Func<int, int, float> level)
    {
        float[] painted = new float[Height * Width];
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < Width; x++)
                painted[y * Width + x] = level(y, x);
        return this with { Levels = painted };
    }
}
