using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>A padded batch's token ids on the host.</summary>
/// <param name="Ids">Rows × Length ids, row by row.</param>
/// <param name="Mask">Rows × Length: 1 for a token, 0 for padding.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Length">Tokens and padding of a row.</param>
public sealed record TokenRows(long[] Ids, long[] Mask, int Rows, int Length)
{
    /// <summary>Rows padded on the right to the longest, each cut at <paramref name="maxLength"/> (0: none is).</summary>
    public static TokenRows Of(IReadOnlyList<IReadOnlyList<int>> rows, int maxLength)
    {
        int Kept(IReadOnlyList<int> row) => maxLength > 0 ? Math.Min(maxLength, row.Count) : row.Count;
        int length = rows.Max(Kept);
        long[] ids = new long[rows.Count * length], mask = new long[rows.Count * length];
        for (int row = 0; row < rows.Count; row++)
            for (int column = 0; column < Kept(rows[row]); column++)
                (ids[row * length + column], mask[row * length + column]) = (rows[row][column], 1);
        return new TokenRows(ids, mask, rows.Count, length);
    }

    /// <summary>A batch read back from its device, which waits for it.</summary>
    public static TokenRows Of(TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        return new TokenRows(Numbers(batch.InputIds), Numbers(batch.AttentionMask), (int)batch.InputIds.size(0), (int)batch.InputIds.size(1));

        static long[] Numbers(Tensor tensor) => tensor.cpu().contiguous().data<long>().ToArray();
    }
}
