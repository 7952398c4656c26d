using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>A padded batch of labelled token sequences on the device. All but the labels are int64 [rows, T].</summary>
/// <param name="InputIds">Token ids.</param>
/// <param name="AttentionMask">1 for a token, 0 for padding.</param>
/// <param name="TokenTypeIds">0 for the first and 1 for the second of two texts.</param>
/// <param name="Labels">int64 [rows].</param>
public sealed record SequenceBatch(Tensor InputIds, Tensor AttentionMask, Tensor TokenTypeIds, Tensor Labels) : IBatch
{
    /// <inheritdoc/>
    public long Supervised => Labels.size(0);

    /// <summary>
    /// Whether some row has padding, known on the host so that an encoder need not ask the device. Without any it needs no mask, and the fast attention kernels run.
    /// </summary>
    public bool Padded { get; init; } = true;

    /// <inheritdoc/>
    public string Signature => Padded ? "padded" : "full";

    /// <inheritdoc/>
    public long Length => InputIds.size(1);

    /// <inheritdoc/>
    public IBatch Each(Func<Tensor, Tensor> change) =>
        this with { InputIds = change(InputIds), AttentionMask = change(AttentionMask), TokenTypeIds = change(TokenTypeIds), Labels = change(Labels) };

    /// <inheritdoc/>
    public IBatch Rounded(long length, long supervised) => this with
    {
        InputIds = RowLengths.Filled(InputIds, length, TokenRows.PaddingId),
        AttentionMask = RowLengths.Filled(AttentionMask, length, 0),
        TokenTypeIds = RowLengths.Filled(TokenTypeIds, length, 0),
        Padded = Padded || length > Length,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        InputIds.Dispose();
        AttentionMask.Dispose();
        TokenTypeIds.Dispose();
        Labels.Dispose();
    }
}
