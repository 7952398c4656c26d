using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>A batch of labelled images on the device.</summary>
/// <param name="PixelValues">float32 [rows, channels, height, width], normalised as the backbone expects.</param>
/// <param name="Labels">int64 [rows].</param>
public sealed record ImageBatch(Tensor PixelValues, Tensor Labels) : IBatch
{
    /// <inheritdoc/>
    public long Supervised => Labels.size(0);

    /// <inheritdoc/>
    public string Signature => "";

    /// <inheritdoc/>
    public IBatch Each(Func<Tensor, Tensor> change) => new ImageBatch(change(PixelValues), change(Labels));

    /// <inheritdoc/>
    public void Dispose()
    {
        PixelValues.Dispose();
        Labels.Dispose();
    }
}
