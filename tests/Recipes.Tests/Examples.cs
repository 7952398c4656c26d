using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace Recipes.Tests;

/// <summary>A few examples of the tasks that want more than tokens or pixels alone.</summary>
internal static class Examples
{
    private static readonly ImageShape Shape = new(3, 32, 32);

    /// <summary>Texts of different lengths, those of label 1 made of few tokens.</summary>
    internal static SequenceExample[] Texts(int count) =>
        [.. Golden.Tokens(count).Select((tokens, i) => new SequenceExample([.. tokens.InputIds.Select(id => i % 2 == 0 ? id : 5 + id % 20)], i % 2))];

    /// <summary>Images of different brightness with a text each.</summary>
    internal static ImageTextExample[] Pairs(int count)
    {
        using Backbone clip = BackboneLoader.Load(Golden.Backbone("clip"), CPU, Precision.Float32);
        int end = (int)clip.Config.Int("text_config.eos_token_id");
        Random random = new(3);
        return [.. Enumerable.Range(0, count).Select(i => new ImageTextExample([.. Enumerable.Range(0, 3 * 32 * 32).Select(_ => i + random.NextSingle())], Shape, [3, 10 + i, 20 + i, end]))];
    }

    /// <summary>Images of 4 × 4 patches, which are four tokens, with a text each.</summary>
    internal static MultimodalExample[] Captions(int count) => [.. Enumerable.Range(0, count).Select(Caption)];

    /// <inheritdoc cref="Captions"/>
    internal static MultimodalExample Caption(int row)
    {
        using var backbone = (MultimodalLM)BackboneLoader.Load(Golden.Backbone("qwen2_5_vl"), CPU, Precision.Float32);
        PatchGrid grid = new(1, 4, 4);
        Random random = new(row);
        int image = (int)backbone.ImageToken, start = (int)backbone.Config.Int("vision_start_token_id"), end = (int)backbone.Config.Int("vision_end_token_id");
        float[] patches = [.. Enumerable.Range(0, (int)(grid.Count * backbone.Patches.Numbers)).Select(_ => row + random.NextSingle())];
        return new MultimodalExample([start, .. Enumerable.Repeat(image, (int)backbone.Patches.Tokens(grid)), end, 7, 30 + row, 31 + row], [new ImagePatches(patches, grid)]);
    }
}
