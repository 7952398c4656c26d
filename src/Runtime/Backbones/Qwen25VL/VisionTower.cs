using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Qwen25VL;

/// <summary>
/// The tower that sees (transformers <c>Qwen2_5_VisionTransformerPretrainedModel</c>): patches attend to their window, in a few blocks to their whole image; at
/// the end each square of patches becomes one vector of the decoder's width.
/// </summary>
internal sealed class VisionTower
{
    /// <summary>Of all its norms; no key of config.json sets it.</summary>
    internal const double Epsilon = 1e-6;

    private const string Path = "model.visual";
    private const double DefaultTheta = 10000;
    private const long DefaultWindow = 112;
    private static readonly long[] DefaultFullBlocks = [7, 15, 23, 31];

    private readonly WeightTable weights;
    private readonly int window;
    private readonly long hidden;
    private readonly HashSet<long> fullBlocks;
    private readonly Weight kernel;
    private readonly Rotary rotary;
    private readonly LayerStack<VisionBlock, PatchContext> blocks;
    private readonly RmsNorm mergerNorm;
    private readonly FeedForward merger;

    /// <summary>Declares the tower; <paramref name="config"/> is <c>vision_config</c>, <paramref name="width"/> the decoder's.</summary>
    internal VisionTower(WeightTable weights, ModelConfig config, long width)
    {
        this.weights = weights;
        hidden = config.Size("hidden_size");
        long channels = config.Int("in_channels", config.Int("in_chans", 3)), frames = config.Int("temporal_patch_size", 2), patch = config.Int("patch_size", 14);
        long heads = config.Size("num_heads"), merge = config.Int("spatial_merge_size", 2), merged = hidden * merge * merge;
        if (hidden % heads != 0 || hidden / heads % 4 != 0)
            throw config.Invalid("num_heads", $"a divisor of hidden_size = {hidden} that leaves heads of a multiple of 4: rotary positions turn pairs, half of them downwards");
        if (config.Int("out_hidden_size", width) != width)
            throw config.Invalid("out_hidden_size", $"{width}, the decoder's hidden_size");
        Format = new PatchFormat(patch, merge, channels * frames * patch * patch);
        window = (int)(config.Int("window_size", DefaultWindow) / merge / patch);
        if (window < 1)
            throw config.Invalid("window_size", $"at least spatial_merge_size · patch_size = {merge * patch}");
        fullBlocks = [.. config.Has("fullatt_block_indexes") ? config.IntList("fullatt_block_indexes") : DefaultFullBlocks];
        kernel = weights.Declare($"{Path}.patch_embed.proj.weight", hidden, channels, frames, patch, patch);
        rotary = new Rotary(weights, new RopeSettings("default", config.Number("rope_parameters.rope_theta", DefaultTheta)), hidden / heads / 2);
        blocks = new(weights, config.Size("depth"), i => new VisionBlock(weights, config, $"{Path}.blocks.{i}"), (block, x, context) => block.Forward(x, context));
        mergerNorm = new RmsNorm(weights, $"{Path}.merger.ln_q", hidden, Epsilon);
        merger = new FeedForward(
            weights.Linear($"{Path}.merger.mlp.0", Sites.Up, merged, merged, bias: true),
            weights.Linear($"{Path}.merger.mlp.2", Sites.Down, merged, width, bias: true),
            Blocks.Activations.Gelu);
    }

    /// <summary>Whether an adapter sits in it or some of its weights are trained.</summary>
    internal bool IsTrained => weights.AllSites.Any(site => site.IsTaken && site.Module.StartsWith($"{Path}.", StringComparison.Ordinal));

    /// <summary>How it takes images.</summary>
    internal PatchFormat Format { get; }

    /// <summary>Where the patches of images with these grids lie, on a device.</summary>
    internal PatchPlaces Locate(IReadOnlyList<PatchGrid> grids, Device device)
    {
        PatchOrder order = OrderOf(grids);
        return new PatchPlaces(
            tensor(order.Windowed, device: device), tensor(order.Arriving, device: device), tensor(order.Places, [order.Places.Length / 2, 2, 1], device: device));
    }

    /// <summary>pixels [patches, numbers of a patch] of images with these grids, whose patches lie at <paramref name="places"/>, to one vector a token: [image tokens, width].</summary>
    internal Tensor Forward(Tensor pixels, IReadOnlyList<PatchGrid> grids, PatchPlaces? places)
    {
        long patches = grids.Sum(grid => (long)grid.Count);
        if (pixels.dim() != 2 || pixels.size(0) != patches || pixels.size(1) != Format.Numbers)
            throw new RecipeException("FPO3032", $"pixel values are [{string.Join(", ", pixels.shape)}]; the batch's {grids.Count} images are [{patches}, {Format.Numbers}]");
        using var scope = NewDisposeScope();
        PatchOrder order = OrderOf(grids);
        (Tensor windowed, Tensor arriving, Tensor rows) = places ?? Locate(grids, weights.Device);
        PatchContext images = new(Turns(rows), order.Images);
        PatchContext windows = new(new RotaryTable(images.Rotary.Cosine.index_select(0, windowed), images.Rotary.Sine.index_select(0, windowed)), order.Windows);
        // a convolution whose patches do not overlap is a linear layer
        Residual x = new(functional.linear(pixels.to_type(weights.Dtype), kernel.Value.to_type(weights.Dtype).view(hidden, Format.Numbers))); // [patches, hidden]
        bool inWindows = false;
        for (int i = 0; i < blocks.Count; i++)
        {
            bool wantsWindows = !fullBlocks.Contains(i);
            if (wantsWindows != inWindows)
                x = x.Through(patches => patches.index_select(0, wantsWindows ? windowed : arriving));
            x = blocks.Forward(i, x, wantsWindows ? windows : images);
            inWindows = wantsWindows;
        }
        if (inWindows)
            x = x.Through(patches => patches.index_select(0, arriving));
        Tensor squares = x.Normed(mergerNorm).view(-1, hidden * Format.Merge * Format.Merge);
        return merger.Forward(squares).MoveToOuterDisposeScope();
    }

    // Half of the frequencies turn by how far down a patch lies, half by how far across: float32 [patches, head width].
    private RotaryTable Turns(Tensor rows)
    {
        using var scope = NewDisposeScope();
        return RotaryTable.Of(rotary.Angles(rows).flatten(1), ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private PatchOrder OrderOf(IReadOnlyList<PatchGrid> grids) => PatchOrder.Of(grids, (int)Format.Merge, window);
}
