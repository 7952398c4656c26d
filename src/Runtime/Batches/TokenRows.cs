using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>A padded batch's token ids on the host.</summary>
/// <param name="Ids">Rows × Length ids, row by row.</param>
/// <param name="Mask">Rows × Length: 1 for a token, 0 for padding.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Length">Tokens and padding of a row.</param>
public sealed record TokenRows(long[] Ids, long[] Mask, int Rows, int Length)
{
    // Masked out of attention and loss, so any id will do.
    internal const long PaddingId = 0;

    /// <summary>Rows padded on the right to the longest, each cut at <paramref name="maxLength"/> (0: none is).</summary>
    public static TokenRows Of(IReadOnlyList<IReadOnlyList<int>> rows, int maxLength)
    {
        int longest = rows.Max(row => row.Count);
        int length = maxLength > 0 ? Math.Min(maxLength, longest) : longest;
        long[] mask = Padded([.. rows.Select(row => Enumerable.Repeat(1, row.Count).ToArray())], length, padding: 0);
        return new TokenRows(Padded(rows, length, PaddingId), mask, rows.Count, length);
    }

    /// <summary>Rows padded on the left to the longest, so that all end together.</summary>
    public static TokenRows EndingTogether(IReadOnlyList<IReadOnlyList<int>> rows)
    {
        int length = rows.Max(row => row.Count);
        long[] ids = new long[rows.Count * length], mask = new long[rows.Count * length];
        for (int row = 0; row < rows.Count; row++)
        {
            int first = (row + 1) * length - rows[row].Count;
            for (int i = 0; i < rows[row].Count; i++)
                (ids[first + i], mask[first + i]) = (rows[row][i], 1);
        }
        return new TokenRows(ids, mask, rows.Count, length);
    }

    /// <summary>A batch read back from its device, which waits for it.</summary>
    public static TokenRows Of(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        return new TokenRows(Numbers(batch.InputIds), Numbers(batch.AttentionMask), (int)batch.InputIds.size(0), (int)batch.InputIds.size(1));

        static long[] Numbers(Tensor tensor) => tensor.cpu().contiguous().data<long>().ToArray();
    }

    /// <summary>What belongs to the tokens one by one (labels, token types), cut as the ids are and filled up with <paramref name="padding"/>: Rows × Length numbers.</summary>
    internal long[] Beside(IReadOnlyList<IReadOnlyList<int>> rows, long padding) => Padded(rows, Length, padding);

    /// <summary>Rows × Length numbers as int64 [Rows, Length] on a device.</summary>
    internal Tensor OnDevice(long[] numbers, Device device) => tensor(numbers, [Rows, Length], device: device);

    private static long[] Padded(IReadOnlyList<IReadOnlyList<int>> rows, int length, long padding)
    {
        long[] numbers = new long[rows.Count * length];
        Array.Fill(numbers, padding);
        for (int row = 0; row < rows.Count; row++)
            for (int column = 0; column < Math.Min(length, rows[row].Count); column++)
                numbers[row * length + column] = rows[row][column];
        return numbers;
    }
}
