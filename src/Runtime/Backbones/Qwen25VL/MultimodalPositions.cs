using FlatPO.Recipes.Batches;

namespace FlatPO.Recipes.Backbones.Qwen25VL;

/// <summary>
/// Positions of text and images in one count (transformers <c>modeling_qwen2_5_vl.py</c>, <c>get_rope_index</c>): a text token stands at the same place on all
/// three axes; an image's tokens stand where it begins, plus their row and column; what follows goes on behind the image's longer side.
/// </summary>
internal sealed class MultimodalPositions
{
    private const int Axes = 3; // time, downwards, across

    private readonly TokenRows tokens;
    private readonly List<long> imageTokens = [];
    private long next;

    private MultimodalPositions(TokenRows tokens) => (this.tokens, Numbers) = (tokens, new long[Axes * tokens.Rows * tokens.Length]);

    /// <summary>3 × rows × length positions; 0 on padding.</summary>
    internal long[] Numbers { get; }

    /// <summary>The image tokens' places in the flattened rows, in order.</summary>
    internal IReadOnlyList<long> ImageTokens => imageTokens;

    /// <summary>Positions of a batch whose images have these grids, in the order of the rows; <paramref name="merge"/> patches each way are a token. FPO3032 if its image tokens are others.</summary>
    internal static MultimodalPositions Of(TokenRows tokens, IReadOnlyList<PatchGrid> grids, long imageToken, int merge)
    {
        MultimodalPositions positions = new(tokens);
        Queue<PatchGrid> images = new(grids);
        for (int row = 0; row < tokens.Rows; row++)
            positions.Row(row, images, imageToken, merge);
        return images.Count == 0
            ? positions
            : throw new RecipeException("FPO3032", $"the batch has {grids.Count} images; its rows have image tokens (id {imageToken}) for {grids.Count - images.Count}");
    }

    private void Row(int row, Queue<PatchGrid> images, long imageToken, int merge)
    {
        next = 0;
        int[] places = [.. Enumerable.Range(row * tokens.Length, tokens.Length).Where(place => tokens.Mask[place] != 0)];
        for (int i = 0; i < places.Length;)
        {
            if (tokens.Ids[places[i]] != imageToken)
            {
                Set(places[i++], (next, next, next));
                next++;
                continue;
            }
            ReadOnlySpan<int> run = places.AsSpan(i..)[..RunLength(places.AsSpan(i..), imageToken)];
            Image(row, run, images, merge);
            i += run.Length;
        }
    }

    private void Image(int row, ReadOnlySpan<int> run, Queue<PatchGrid> images, int merge)
    {
        if (!images.TryDequeue(out PatchGrid grid))
            throw new RecipeException("FPO3032", $"row {row} of the batch has image tokens behind those of its last image");
        int height = grid.Height / merge, width = grid.Width / merge;
        if (run.Length != grid.Frames * height * width)
            throw new RecipeException("FPO3032", $"row {row} of the batch has {run.Length} image tokens one behind the other; expected {grid.Frames * height * width}, those of a grid of {PatchFormat.Describe(grid)} patches");
        for (int i = 0; i < run.Length; i++)
        {
            Set(run[i], (next, next + i / width % height, next + i % width));
            imageTokens.Add(run[i]);
        }
        next += Math.Max(height, width);
    }

    private int RunLength(ReadOnlySpan<int> places, long imageToken)
    {
        int length = 0;
        while (length < places.Length && tokens.Ids[places[length]] == imageToken)
            length++;
        return length;
    }

    private void Set(int place, (long Time, long Down, long Across) position)
    {
        int axis = tokens.Rows * tokens.Length;
        (Numbers[place], Numbers[axis + place], Numbers[2 * axis + place]) = position;
    }
}
