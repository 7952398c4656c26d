using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>A padded batch of token sequences with images among them, on the device.</summary>
/// <param name="Tokens">Ids, mask and labels, int64 [rows, T] each.</param>
/// <param name="PixelValues">float32 [patches of all images, numbers of a patch]; null where no row has an image.</param>
/// <param name="Grids">The grid of each image, in the order of the rows and of the images in them.</param>
public sealed record MultimodalBatch(TokenBatch Tokens, Tensor? PixelValues, IReadOnlyList<PatchGrid> Grids) : IBatch
{
    /// <summary>Where its tokens stand; null where the backbone is to read that off the ids, which waits for the device.</summary>
    public TokenPlaces? Places { get; init; }

    /// <inheritdoc/>
    public long Supervised => Tokens.Supervised;

    /// <inheritdoc/>
    public Towers Fed => PixelValues is null ? Towers.Language : Towers.All;

    /// <inheritdoc/>
    public string Signature => $"{Tokens.Signature} {(Places is null ? "unplaced" : "placed")} {string.Join(' ', Grids.Select(grid => $"{grid.Frames}x{grid.Height}x{grid.Width}"))}";

    /// <inheritdoc/>
    public long Length => Tokens.Length;

    /// <inheritdoc/>
    public IBatch Each(Func<Tensor, Tensor> change) =>
        this with { Tokens = Tokens.Each(change), PixelValues = PixelValues is null ? null : change(PixelValues), Places = Places?.Each(change) };

    /// <inheritdoc/>
    public IBatch Rounded(long length, long supervised) => this with { Tokens = Tokens.Rounded(length, supervised), Places = Places?.Rounded(length) };

    /// <inheritdoc/>
    public void Dispose()
    {
        Tokens.Dispose();
        PixelValues?.Dispose();
        Places?.Dispose();
    }
}
