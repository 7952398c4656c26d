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

    /// <inheritdoc/>
    public void Dispose()
    {
        InputIds.Dispose();
        AttentionMask.Dispose();
        Labels.Dispose();
    }
}
