using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Qwen25VL;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

/// <summary>The golden Qwen 2.5 VL and what it is fed.</summary>
internal static class QwenVlCase
{
    internal static string Folder => Golden.Backbone("qwen2_5_vl");

    internal static Qwen2_5_VLForConditionalGeneration Load(Precision precision = Precision.Float32) => Load(Folder, precision);

    internal static Qwen2_5_VLForConditionalGeneration Load(string folder, Precision precision = Precision.Float32) =>
        BackboneLoader.Load(folder, CPU, precision, weights => new Qwen2_5_VLForConditionalGeneration(weights));

    /// <summary>The case's batch as transformers was given it.</summary>
    internal static MultimodalBatch Batch(SafetensorsFile expected)
    {
        Tensor ids = expected.Read("input_ids"), labels = expected.Entries.ContainsKey("labels") ? expected.Read("labels") : ids;
        long supervised = labels.narrow(1, 1, labels.size(1) - 1).ne(TokenBatch.Unsupervised).sum().item<long>();
        return new MultimodalBatch(new TokenBatch(ids, expected.Read("attention_mask"), labels, supervised), expected.Read("pixel_values"), Grids(expected));
    }

    /// <summary>The case's rows as examples.</summary>
    internal static MultimodalExample[] Examples(SafetensorsFile expected, MultimodalLM backbone)
    {
        using var scope = NewDisposeScope();
        TokenRows rows = TokenRows.Of(Batch(expected).Tokens);
        long[] labels = expected.Read("labels").data<long>().ToArray();
        float[] pixels = expected.Read("pixel_values").data<float>().ToArray();
        Queue<PatchGrid> grids = new(Grids(expected));
        List<MultimodalExample> examples = [];
        int patches = 0;
        for (int row = 0; row < rows.Rows; row++)
        {
            int[] places = [.. Enumerable.Range(row * rows.Length, rows.Length).Where(place => rows.Mask[place] == 1)];
            List<ImagePatches> images = [];
            for (long tokens = places.Count(place => rows.Ids[place] == backbone.ImageToken); tokens > 0;)
            {
                PatchGrid grid = grids.Dequeue();
                int numbers = (int)backbone.Patches.Numbers;
                images.Add(new ImagePatches(pixels[(patches * numbers)..((patches + grid.Count) * numbers)], grid));
                patches += grid.Count;
                tokens -= backbone.Patches.Tokens(grid);
            }
            examples.Add(new MultimodalExample([.. places.Select(place => (int)rows.Ids[place])], images, [.. places.Select(place => (int)labels[place])]));
        }
        return [.. examples];
    }

    /// <summary>An image of random patches.</summary>
    internal static ImagePatches Image(MultimodalLM backbone, int height, int width, Random random)
    {
        float[] patches = new float[height * width * backbone.Patches.Numbers];
        for (int i = 0; i < patches.Length; i++)
            patches[i] = (float)(2 * random.NextDouble() - 1);
        return new ImagePatches(patches, new PatchGrid(1, height, width));
    }

    /// <summary>A row of text (a number is how many tokens) and images, which teaches its text.</summary>
    internal static MultimodalExample Row(MultimodalLM backbone, Random random, params object[] parts)
    {
        List<int> ids = [], labels = [];
        foreach (object part in parts)
            if (part is ImagePatches image)
            {
                ids.AddRange(Enumerable.Repeat((int)backbone.ImageToken, (int)backbone.Patches.Tokens(image.Grid)));
                labels.AddRange(Enumerable.Repeat((int)TokenBatch.Unsupervised, (int)backbone.Patches.Tokens(image.Grid)));
            }
            else
                for (int i = 0; i < (int)part; i++)
                {
                    ids.Add(random.Next(5, (int)backbone.ImageToken - 1)); // below the ids that stand for images and videos
                    labels.Add(ids[^1]);
                }
        return new MultimodalExample(ids, [.. parts.OfType<ImagePatches>()], labels);
    }

    private static PatchGrid[] Grids(SafetensorsFile expected)
    {
        using Tensor grids = expected.Read("image_grid_thw");
        return [.. grids.data<long>().ToArray().Chunk(3).Select(grid => new PatchGrid((int)grid[0], (int)grid[1], (int)grid[2]))];
    }
}
