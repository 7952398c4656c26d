using FlatPO.Recipes.Batches;

namespace FlatPO.Recipes;

/// <summary>A sequence of token ids to learn from, with the images its image tokens stand for.</summary>
/// <param name="InputIds">The ids, at least two; each image's place is a run of image tokens, as many as the image makes.</param>
/// <param name="Images">The images, in the order their runs appear; empty for a text-only row.</param>
/// <param name="Labels">What to predict at each position: an id, or −100 where the position teaches nothing. Every position's own id if not given.</param>
public sealed record MultimodalExample(IReadOnlyList<int> InputIds, IReadOnlyList<ImagePatches> Images, IReadOnlyList<int>? Labels = null) : ITokenRow;

/// <summary>An image cut into patches, as the backbone's image processor lays them out.</summary>
/// <param name="Patches">Patches × (channels · temporal patch · patch · patch) numbers, normalised as the backbone expects.</param>
/// <param name="Grid">How many patches there are each way.</param>
public sealed record ImagePatches(float[] Patches, PatchGrid Grid);

/// <summary>Patches in time, downwards and across (a row of transformers' <c>image_grid_thw</c>).</summary>
/// <param name="Frames">1 for an image.</param>
/// <param name="Height">Patches downwards.</param>
/// <param name="Width">Patches across.</param>
public readonly record struct PatchGrid(int Frames, int Height, int Width)
{
    /// <summary>All patches.</summary>
    public int Count => Frames * Height * Width;
}
