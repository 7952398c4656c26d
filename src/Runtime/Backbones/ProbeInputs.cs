using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Backbones;

/// <summary>The texts and images that <see cref="Backbone.Probe"/> makes up: they say nothing, and are the same at each call.</summary>
internal static class ProbeInputs
{
    private const int LongestText = 8;

    /// <summary>
    /// Ids from all over the vocabulary, other ones for another <paramref name="which"/>, but neither the first nor the last, often special ones; from its beginning where its
    /// size is not known.
    /// </summary>
    internal static int[] Ids(ModelConfig config, long? longestRow, int which = 0)
    {
        int count = (int)Math.Min(LongestText, longestRow ?? LongestText);
        long vocabulary = config.Int("vocab_size", 0);
        return [.. Enumerable.Range(0, count).Select(i => vocabulary == 0 ? i % 2 : (int)(((2 * i + 1) * vocabulary / (2 * count) + which) % vocabulary))];
    }

    /// <summary>An image of the size that <c>num_channels</c> and <c>image_size</c> say.</summary>
    internal static (float[] Pixels, ImageShape Shape) Image(ModelConfig config, int which = 0)
    {
        (long height, long width) = config.Extent("image_size");
        ImageShape shape = new((int)config.Size("num_channels", 3), (int)height, (int)width);
        return (Numbers(shape.Channels * height * width, which), shape);
    }

    /// <summary>Numbers between −1 and 1.</summary>
    internal static float[] Numbers(long count, int which = 0)
    {
        float[] numbers = new float[count];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = MathF.Sin((which + 1) * (i + 1)); // no period in whole steps
        return numbers;
    }
}
