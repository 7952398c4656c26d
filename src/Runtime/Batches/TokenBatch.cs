using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>A padded batch of token sequences on the device. All three tensors are int64 [rows, T].</summary>
/// <param name="InputIds">Token ids.</param>
/// <param name="AttentionMask">1 for a token, 0 for padding.</param>
/// <param name="Labels">The id to predict at each position, <see cref="Unsupervised"/> where none is.</param>
/// <param name="Supervised">How many positions after the first of their row carry a label.</param>
public sealed record TokenBatch(Tensor InputIds, Tensor AttentionMask, Tensor Labels, long Supervised) : IBatch
{
    /// <summary>The label of a position that teaches nothing.</summary>
    public const long Unsupervised = -100;

    /// <summary>
    /// Where the padding is, known on the host so that a decoder need not ask the device. With padding on the right a causal decoder needs no mask
    /// tensor, and the fast attention kernels run: no token comes after padding, so none can see it.
    /// </summary>
    public Padding Padding { get; init; }

    /// <summary>
    /// How many positions the loss computes, known on the host: at least <see cref="Supervised"/>, which is what a smaller number means. What it computes beyond them weighs nothing, and
    /// batches that teach a little more or less have one shape.
    /// </summary>
    public long LossPlaces { get; init; }

    /// <inheritdoc/>
    public string Signature => $"{Padding} {(Supervised > 0 ? Math.Max(Supervised, LossPlaces) : 0)}";

    /// <inheritdoc/>
    public long Length => InputIds.size(1);

    /// <summary>The same batch with other tensors of the same sizes, each made of the one it stands for.</summary>
    public TokenBatch Each(Func<Tensor, Tensor> change) => this with { InputIds = change(InputIds), AttentionMask = change(AttentionMask), Labels = change(Labels) };

    /// <inheritdoc cref="IBatch.Rounded"/>
    public TokenBatch Rounded(long length, long supervised)
    {
        TokenBatch wide = this with
        {
            InputIds = RowLengths.Filled(InputIds, length, TokenRows.PaddingId),
            AttentionMask = RowLengths.Filled(AttentionMask, length, 0),
            Labels = RowLengths.Filled(Labels, length, Unsupervised),
        };
        return wide with { LossPlaces = RowLengths.LossPlaces(Math.Max(Supervised, supervised), wide.InputIds.numel()) };
    }

    IBatch IBatch.Each(Func<Tensor, Tensor> change) => Each(change);

    IBatch IBatch.Rounded(long length, long supervised) => Rounded(length, supervised);

    /// <inheritdoc/>
    public void Dispose()
    {
        InputIds.Dispose();
        AttentionMask.Dispose();
        Labels.Dispose();
    }
}

/// <summary>Where a batch's padding is.</summary>
public enum Padding
{
    /// <summary>Anywhere: the attention mask decides.</summary>
    Unknown,

    /// <summary>After each row's tokens, or nowhere.</summary>
    Right,
}
