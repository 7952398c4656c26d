using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Images and texts on the host to batches on the device.</summary>
public static class ImageTextCollation
{
    // Behind the token a text is read at, so any id will do.
    private const long PaddingId = 0;

    /// <summary>
    /// Stacks images of one size and pads their texts on the right to the longest. A text longer than <paramref name="maxLength"/> (0: no limit) is cut so that
    /// the token at <paramref name="endOf"/> it, which stands for all of it, stays as the last.
    /// </summary>
    public static ImageTextBatch Pairs(IReadOnlyList<ImageTextExample> examples, int maxLength, Func<IReadOnlyList<int>, int> endOf, Device device)
    {
        (Tensor ids, Tensor mask) = Texts([.. examples.Select(example => example.InputIds)], maxLength, endOf, device);
        Tensor pixels = Collation.Pixels([.. examples.Select(example => (example.Pixels, example.Shape))], device);
        return new ImageTextBatch(pixels, ids, mask) { Padding = Padding.Right };
    }

    /// <summary>Pads texts as <see cref="Pairs"/> does: ids and attention mask, int64 [texts, T] each.</summary>
    public static (Tensor InputIds, Tensor AttentionMask) Texts(IReadOnlyList<IReadOnlyList<int>> texts, int maxLength, Func<IReadOnlyList<int>, int> endOf, Device device)
    {
        IReadOnlyList<int>[] cut = [.. texts.Select(text => maxLength > 0 && text.Count > maxLength ? Cut(text, maxLength, endOf(text)) : text)];
        int rows = cut.Length, length = cut.Max(text => text.Count);
        long[,] ids = new long[rows, length], mask = new long[rows, length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < length; column++)
            {
                bool token = column < cut[row].Count;
                ids[row, column] = token ? cut[row][column] : PaddingId;
                mask[row, column] = token ? 1 : 0;
            }
        return (tensor(ids, device: device), tensor(mask, device: device));
    }

    private static int[] Cut(IReadOnlyList<int> text, int length, int end) =>
        end < length ? [.. text.Take(length)] : [.. text.Take(length - 1), text[end]];
}
