using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Where the tokens of a batch with images stand: worked out on the host when the batch is made, so that a pass need not ask the device for its ids.</summary>
/// <param name="Positions">int64 [3, rows, T]: each token's place in time, downwards and across, as rotary embedding turns by it; 0 on padding.</param>
/// <param name="ImageTokens">int64 [image tokens]: their places in the flattened [rows · T], in the order of the images; null where there are none.</param>
public sealed record TokenPlaces(Tensor Positions, Tensor? ImageTokens) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Positions.Dispose();
        ImageTokens?.Dispose();
    }

    internal TokenPlaces Each(Func<Tensor, Tensor> change) => new(change(Positions), ImageTokens is null ? null : change(ImageTokens));
}
