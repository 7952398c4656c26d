using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Images and texts on the host to batches on the device.</summary>
public static class ImageTextCollation
{
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
        TokenRows rows = TokenRows.Of(cut, maxLength: 0);
        return (rows.OnDevice(rows.Ids, device), rows.OnDevice(rows.Mask, device));
    }

    private static int[] Cut(IReadOnlyList<int> text, int length, int end) =>
        end < length ? [.. text.Take(length)] : [.. text.Take(length - 1), text[end]];
}
