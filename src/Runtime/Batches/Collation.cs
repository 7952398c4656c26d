using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Examples on the host to batches on the device.</summary>
public static partial class Collation
{
    // Masked out of attention and loss, so any id will do.
    private const long PaddingId = 0;

    /// <summary>Pads on the right to the longest row. Rows longer than <paramref name="maxLength"/> (0: no limit) are cut.</summary>
    public static TokenBatch Tokens(IReadOnlyList<TokenExample> examples, int maxLength, Device device)
    {
        int[] lengths = [.. examples.Select(example => maxLength > 0 ? Math.Min(maxLength, example.InputIds.Count) : example.InputIds.Count)];
        int rows = examples.Count, length = lengths.Max();
        long[,] ids = new long[rows, length], mask = new long[rows, length], labels = new long[rows, length];
        long supervised = 0;
        for (int row = 0; row < rows; row++)
        {
            TokenExample example = Checked(examples[row]);
            for (int column = 0; column < length; column++)
            {
                bool token = column < lengths[row];
                ids[row, column] = token ? example.InputIds[column] : PaddingId;
                mask[row, column] = token ? 1 : 0;
                labels[row, column] = token ? (example.Labels ?? example.InputIds)[column] : TokenBatch.Unsupervised;
                supervised += column > 0 && labels[row, column] != TokenBatch.Unsupervised ? 1 : 0;
            }
        }
        return new TokenBatch(tensor(ids, device: device), tensor(mask, device: device), tensor(labels, device: device), supervised) { Padding = Padding.Right };
    }

    /// <summary>Stacks images of one size.</summary>
    public static ImageBatch Images(IReadOnlyList<ImageExample> examples, Device device) => new(
        Pixels([.. examples.Select(example => (example.Pixels, example.Shape))], device),
        tensor(examples.Select(example => (long)example.Label).ToArray(), device: device));

    /// <summary>Stacks images of one size: float32 [images, channels, height, width]. FPO3012 where one is of another.</summary>
    internal static Tensor Pixels(IReadOnlyList<(float[] Pixels, ImageShape Shape)> images, Device device)
    {
        ImageShape shape = images[0].Shape;
        int count = shape.Channels * shape.Height * shape.Width;
        float[] all = new float[images.Count * count];
        for (int row = 0; row < images.Count; row++)
        {
            (float[] pixels, ImageShape found) = images[row];
            if (found != shape || pixels.Length != count)
                throw new RecipeException("FPO3012", $"image {row} of the batch is {found} with {pixels.Length} numbers; expected {shape} with {count}, as the batch's first image");
            pixels.CopyTo(all, row * count);
        }
        return tensor(all, [images.Count, shape.Channels, shape.Height, shape.Width], device: device);
    }

    private static TokenExample Checked(TokenExample example) =>
        example.InputIds.Count < 2
            ? throw new RecipeException("FPO3011", $"an example has {example.InputIds.Count} tokens; at least 2 are needed to predict one")
        : example.Labels is { } labels && labels.Count != example.InputIds.Count
            ? throw new RecipeException("FPO3011", $"an example has {example.InputIds.Count} tokens but {labels.Count} labels; it needs one label a token, {TokenBatch.Unsupervised} where nothing is to be learned")
        : example;
}
