namespace FlatPO.Recipes.Backbones.Qwen25VL;

/// <summary>Patches that attend to one another, one segment behind the other.</summary>
/// <param name="Count">How many segments.</param>
/// <param name="Length">Patches of each.</param>
internal readonly record struct Segments(long Count, long Length);

/// <summary>
/// Where the patches of a batch of images lie, and how they are sorted into windows (transformers <c>modeling_qwen2_5_vl.py</c>, <c>rot_pos_emb</c> and
/// <c>get_window_index</c>). Patches arrive image by image, the squares that will be one token row by row, and row by row inside a square. Windows of one size
/// lie together, so that one attention call takes them all; among themselves their order means nothing.
/// </summary>
internal sealed class PatchOrder
{
    private PatchOrder(long[] places, List<Segments> images, long[] windowed, List<Segments> windows) =>
        (Places, Images, Windowed, Windows) = (places, images, windowed, windows);

    /// <summary>Patches × 2: how far down and across each patch lies in its image.</summary>
    internal long[] Places { get; }

    /// <summary>The images, as the patches arrive; of several frames, each frame.</summary>
    internal IReadOnlyList<Segments> Images { get; }

    /// <summary>The arriving patches' numbers in the order of the windows.</summary>
    internal long[] Windowed { get; }

    /// <summary>The windows, in that order.</summary>
    internal IReadOnlyList<Segments> Windows { get; }

    /// <summary>Where each arriving patch is in the order of the windows: undoes <see cref="Windowed"/>.</summary>
    internal long[] Arriving
    {
        get
        {
            long[] places = new long[Windowed.Length];
            for (int i = 0; i < Windowed.Length; i++)
                places[Windowed[i]] = i;
            return places;
        }
    }

    /// <summary>The order of images of these grids; <paramref name="merge"/> patches each way are a token, <paramref name="window"/> tokens each way a window.</summary>
    internal static PatchOrder Of(IReadOnlyList<PatchGrid> grids, int merge, int window)
    {
        List<long> places = [];
        List<Segments> images = [];
        List<List<long>> windows = [];
        foreach (PatchGrid grid in grids)
            for (int frame = 0; frame < grid.Frames; frame++)
            {
                Frame(grid, merge, window, places, windows);
                Append(images, grid.Height * grid.Width);
            }
        List<Segments> sizes = [];
        List<long>[] sorted = [.. windows.OrderByDescending(patches => patches.Count)]; // a stable sort
        foreach (List<long> patches in sorted)
            Append(sizes, patches.Count);
        return new PatchOrder([.. places], images, [.. sorted.SelectMany(patches => patches)], sizes);
    }

    private static void Frame(PatchGrid grid, int merge, int window, List<long> places, List<List<long>> windows)
    {
        int side = merge * window, across = (grid.Width + side - 1) / side, first = windows.Count; // windows at the edges are smaller
        windows.AddRange(Enumerable.Range(0, (grid.Height + side - 1) / side * across).Select(_ => new List<long>()));
        for (int i = 0; i < grid.Height * grid.Width; i++)
        {
            int token = i / (merge * merge), inside = i % (merge * merge), tokensAcross = grid.Width / merge;
            int row = token / tokensAcross * merge + inside / merge, column = token % tokensAcross * merge + inside % merge;
            windows[first + row / side * across + column / side].Add(places.Count / 2);
            places.AddRange([row, column]);
        }
    }

    private static void Append(List<Segments> segments, long length)
    {
        if (segments.Count > 0 && segments[^1].Length == length)
            segments[^1] = segments[^1] with { Count = segments[^1].Count + 1 };
        else
            segments.Add(new Segments(1, length));
    }
}
