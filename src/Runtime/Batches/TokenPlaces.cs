using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Batches;

/// <summary>Where the tokens of a batch with images stand: worked out on the host when the batch is made, so that a pass need not ask the device for its ids.</summary>
/// <param name="Positions">int64 [3, rows, T]: each token's place in time, downwards and across, as rotary embedding turns by it; 0 on padding.</param>
/// <param name="ImageTokens">int64 [image tokens]: their places in the flattened [rows · T], in the order of the images; null where there are none.</param>
public sealed record TokenPlaces(Tensor Positions, Tensor? ImageTokens) : IDisposable
{
    /// <summary>Where the images' patches lie; null where there are none, or where the backbone is to work it out in every pass.</summary>
    public PatchPlaces? Patches { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Positions.Dispose();
        ImageTokens?.Dispose();
        Patches?.Dispose();
    }

    internal TokenPlaces Each(Func<Tensor, Tensor> change) => new(change(Positions), ImageTokens is null ? null : change(ImageTokens)) { Patches = Patches?.Each(change) };

    internal TokenPlaces Rounded(long length) => this with { Positions = RowLengths.Filled(Positions, length, 0), ImageTokens = ImageTokens is null ? null : Moved(ImageTokens, Positions.size(-1), length) };

    // Places in rows of one length as places in rows of another.
    private static Tensor Moved(Tensor places, long from, long to)
    {
        if (to <= from)
            return places;
        using var scope = NewDisposeScope();
        Tensor row = places.floor_divide(Scalars.Of(from));
        return places.Plus(row.mul(Scalars.Of(to - from))).MoveToOuterDisposeScope();
    }
}

/// <summary>Where the patches of a batch's images lie, for a tower that attends in windows.</summary>
/// <param name="Windowed">int64 [patches]: their numbers in the order of the windows.</param>
/// <param name="Arriving">int64 [patches]: where each is in that order.</param>
/// <param name="Rows">int64 [patches, 2, 1]: how far down and across each lies in its image.</param>
public sealed record PatchPlaces(Tensor Windowed, Tensor Arriving, Tensor Rows) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Windowed.Dispose();
        Arriving.Dispose();
        Rows.Dispose();
    }

    internal PatchPlaces Each(Func<Tensor, Tensor> change) => new(change(Windowed), change(Arriving), change(Rows));
}
