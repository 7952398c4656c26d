using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>A batch of images and their texts on the device: row i of the one belongs to row i of the other.</summary>
/// <param name="PixelValues">float32 [rows, channels, height, width], normalised as the backbone expects.</param>
/// <param name="InputIds">int64 [rows, T].</param>
/// <param name="AttentionMask">int64 [rows, T]: 1 for a token, 0 for padding.</param>
public sealed record ImageTextBatch(Tensor PixelValues, Tensor InputIds, Tensor AttentionMask) : IBatch
{
    /// <summary>Each image finds its text and each text its image.</summary>
    public long Supervised => 2 * InputIds.size(0);

    /// <inheritdoc cref="TokenBatch.Padding"/>
    public Padding Padding { get; init; }

    /// <inheritdoc/>
    public string Signature => $"{Padding}";

    /// <inheritdoc/>
    public long Length => InputIds.size(1);

    /// <inheritdoc/>
    public IBatch Each(Func<Tensor, Tensor> change) => this with { PixelValues = change(PixelValues), InputIds = change(InputIds), AttentionMask = change(AttentionMask) };

    /// <inheritdoc/>
    public IBatch Rounded(long length, long supervised) =>
        this with { InputIds = RowLengths.Filled(InputIds, length, TokenRows.PaddingId), AttentionMask = RowLengths.Filled(AttentionMask, length, 0) };

    /// <inheritdoc/>
    public void Dispose()
    {
        PixelValues.Dispose();
        InputIds.Dispose();
        AttentionMask.Dispose();
    }
}
