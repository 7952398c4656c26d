using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Examples on the host to batches on the device.</summary>
public static class Collation
{
    /// <summary>Pads on the right to the longest row. Rows longer than <paramref name="maxLength"/> (0: no limit) are cut.</summary>
    public static TokenBatch Tokens(IReadOnlyList<TokenExample> examples, int maxLength, Device device)
    {
        TokenRows rows = TokenRows.Of([.. examples.Select(example => Checked(example).InputIds)], maxLength);
        long[] labels = rows.Beside([.. examples.Select(example => example.Labels ?? example.InputIds)], TokenBatch.Unsupervised);
        long supervised = labels.Where((label, at) => at % rows.Length > 0 && label != TokenBatch.Unsupervised).LongCount();
        return new TokenBatch(rows.OnDevice(rows.Ids, device), rows.OnDevice(rows.Mask, device), rows.OnDevice(labels, device), supervised) { Padding = Padding.Right };
    }

    /// <summary>Pads on the right to the longest row. Rows longer than <paramref name="maxLength"/> (0: no limit) are cut.</summary>
    public static SequenceBatch Sequences(IReadOnlyList<SequenceExample> examples, int maxLength, Device device)
    {
        TokenRows rows = TokenRows.Of([.. examples.Select(example => Checked(example).InputIds)], maxLength);
        long[] types = rows.Beside([.. examples.Select(example => example.TokenTypeIds ?? [])], padding: 0);
        Tensor labels = tensor(examples.Select(example => (long)example.Label).ToArray(), device: device);
        return new SequenceBatch(rows.OnDevice(rows.Ids, device), rows.OnDevice(rows.Mask, device), rows.OnDevice(types, device), labels) { Padded = rows.Mask.Contains(0) };
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

    private static SequenceExample Checked(SequenceExample example) =>
        example.InputIds.Count == 0
            ? throw new RecipeException("FPO3020", "a text has no tokens; at least 1 is needed")
        : example.TokenTypeIds is { } types && types.Count != example.InputIds.Count
            ? throw new RecipeException("FPO3020", $"a text has {example.InputIds.Count} tokens but {types.Count} token types; it needs one a token, or none at all")
        : example;
}
