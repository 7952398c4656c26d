using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A decoder that predicts the next token of text with images in it. Each image stands in its row as a run of image tokens.</summary>
public abstract class MultimodalLM(WeightTable weights) : LanguageModel<MultimodalExample, MultimodalBatch>(weights)
{
    /// <summary>The most pixels an image may have; 0 where there is no limit.</summary>
    public long PixelBudget { get; set; }

    /// <summary>The id that every token of an image carries.</summary>
    public abstract long ImageToken { get; }

    /// <summary>How images are cut into patches.</summary>
    public abstract PatchFormat Patches { get; }

    /// <summary>The part of config.json that describes the decoder.</summary>
    protected abstract ModelConfig TextConfig { get; }

    /// <summary>
    /// Logits of the token behind each text: [rows, vocabulary], for texts that began as <paramref name="prompt"/>. A backbone that knows no cache reads the texts
    /// anew each time.
    /// </summary>
    public virtual Tensor NextLogits(DecoderPass pass, MultimodalBatch prompt)
    {
        using var scope = NewDisposeScope();
        TokenBatch whole = new(pass.Ids, pass.AttentionMask, pass.Ids, 0);
        return Logits(prompt with { Tokens = whole, Places = null }).select(1, -1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor? Probe()
    {
        using var scope = NewDisposeScope();
        PatchGrid grid = new(1, (int)Patches.Merge, 2 * (int)Patches.Merge); // two tokens
        ImagePatches image = new(ProbeInputs.Numbers(grid.Count * Patches.Numbers), grid);
        int[] text = [.. ProbeInputs.Ids(TextConfig, null).Where(id => id != ImageToken)], seen = [.. Enumerable.Repeat((int)ImageToken, (int)Patches.Tokens(grid))];
        return Logits(Collate([new MultimodalExample([text[0], .. seen, .. text[1..]], [image])], 0)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Also throws FPO3028 where a row's runs of image tokens are not its images', FPO3029 for a row with images that would be cut, FPO3030 for an image over
    /// <see cref="PixelBudget"/> and FPO3031 for one cut into patches in another way.
    /// </remarks>
    public override void Check(IReadOnlyList<MultimodalExample> examples, int maxLength)
    {
        TokenRange vocabulary = TokenRange.Of(TextConfig);
        for (int row = 0; row < examples.Count; row++)
        {
            MultimodalExample example = examples[row];
            vocabulary.CheckIds(example.InputIds, row);
            vocabulary.CheckLabels(example.Labels ?? [], row);
            CheckImages(example, row);
            CheckWhole(example, maxLength, row);
        }
    }

    /// <inheritdoc/>
    public override MultimodalBatch Collate(IReadOnlyList<MultimodalExample> examples, int maxLength, Device device)
    {
        for (int row = 0; row < examples.Count; row++)
            CheckWhole(examples[row], maxLength, row);
        ImagePatches[] images = [.. examples.SelectMany(example => example.Images)];
        PatchGrid[] grids = [.. images.Select(image => image.Grid)];
        TokenPlaces places = Locate(TokenRows.Of([.. examples.Select(example => example.InputIds)], maxLength), grids, device);
        TokenBatch tokens = Collation.Tokens([.. examples.Select(example => new TokenExample(example.InputIds, example.Labels))], maxLength, device);
        return new MultimodalBatch(tokens, images.Length > 0 ? Pixels(images, device) : null, grids) { Places = places };
    }

    /// <summary>Texts to be continued as one batch, padded on the left so that all end together; their labels mean nothing.</summary>
    public MultimodalBatch CollatePrompts(IReadOnlyList<MultimodalExample> prompts)
    {
        ImagePatches[] images = [.. prompts.SelectMany(prompt => prompt.Images)];
        PatchGrid[] grids = [.. images.Select(image => image.Grid)];
        TokenRows rows = TokenRows.EndingTogether([.. prompts.Select(prompt => prompt.InputIds)]);
        Tensor ids = rows.OnDevice(rows.Ids, Device);
        TokenBatch tokens = new(ids, rows.OnDevice(rows.Mask, Device), ids, 0);
        return new MultimodalBatch(tokens, images.Length > 0 ? Pixels(images, Device) : null, grids) { Places = Locate(rows, grids, Device) };
    }

    private protected override TokenBatch TokensOf(MultimodalBatch batch) => batch.Tokens;

    /// <summary>Where the tokens stand, on a device. Throws FPO3032 where the image tokens are not those of the grids.</summary>
    protected abstract TokenPlaces Locate(TokenRows tokens, IReadOnlyList<PatchGrid> grids, Device device);

    private void CheckImages(MultimodalExample example, int row)
    {
        int[] runs = [.. Runs(example.InputIds)];
        if (runs.Length != example.Images.Count)
            throw new RecipeException("FPO3028", $"example {row} has {runs.Length} runs of image tokens (id {ImageToken}) and {example.Images.Count} images; each image stands in its row as one run");
        for (int i = 0; i < runs.Length; i++)
        {
            Patches.Check(example.Images[i], PixelBudget, $"image {i} of example {row}");
            PatchGrid grid = example.Images[i].Grid;
            if (runs[i] != Patches.Tokens(grid))
                throw new RecipeException("FPO3028", $"image {i} of example {row} stands in its row as {runs[i]} image tokens (id {ImageToken}); expected {Patches.Tokens(grid)}, those of a grid of {PatchFormat.Describe(grid)} patches");
        }
    }

    // A row without its image's end would be another question; text alone is cut, as a causal language model's is.
    private static void CheckWhole(MultimodalExample example, int maxLength, int row)
    {
        if (maxLength > 0 && example.Images.Count > 0 && example.InputIds.Count > maxLength)
            throw new RecipeException("FPO3029", $"example {row} has {example.InputIds.Count} tokens, MaxLength is {maxLength}; a row with images is never cut: raise MaxLength, shorten the text or shrink the images");
    }

    private IEnumerable<int> Runs(IReadOnlyList<int> ids)
    {
        int run = 0;
        foreach (int id in ids)
        {
            if (id == ImageToken)
                run++;
            else if (run > 0)
            {
                yield return run;
                run = 0;
            }
        }
        if (run > 0)
            yield return run;
    }

    private Tensor Pixels(ImagePatches[] images, Device device)
    {
        float[] pixels = new float[images.Sum(image => (long)image.Patches.Length)];
        long filled = 0;
        foreach (ImagePatches image in images)
        {
            image.Patches.CopyTo(pixels, filled);
            filled += image.Patches.Length;
        }
        return tensor(pixels, [pixels.LongLength / Patches.Numbers, Patches.Numbers], device: device);
    }
}
