using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

/// <summary>Examples that cannot be learned from are named before anything runs.</summary>
[Trait("Category", Golden.Category)]
public sealed class MultimodalChecks
{
    [Fact]
    public void An_id_or_label_outside_the_vocabulary_is_refused()
    {
        using var backbone = QwenVlCase.Load();
        int vocabulary = (int)backbone.Config.Int("text_config.vocab_size");
        MultimodalExample good = QwenVlBatches.Rows(backbone)[2];
        AssertRefused(backbone, "FPO3013", $"example 1 has token id {vocabulary}", good, good with { InputIds = [1, vocabulary] });
        AssertRefused(backbone, "FPO3013", "example 0 has label -1", good with { Labels = [1, 2, -1, 1, 2, 3] });
    }

    [Fact]
    public void An_images_tokens_must_be_as_many_as_it_makes()
    {
        using var backbone = QwenVlCase.Load();
        MultimodalExample good = QwenVlBatches.Rows(backbone)[1];
        int[] ids = [.. good.InputIds];
        int image = (int)backbone.ImageToken, tokens = ids.Count(id => id == image), first = Array.IndexOf(ids, image);
        AssertRefused(backbone, "FPO3028", $"image 0 of example 1 stands in its row as {tokens - 1} image tokens (id {image}); expected {tokens}",
            good, good with { InputIds = [.. ids[..first], .. ids[(first + 1)..]], Labels = null });
        AssertRefused(backbone, "FPO3028", $"example 0 has 0 runs of image tokens (id {image}) and 1 images", good with { InputIds = [1, 2, 3], Labels = null });
        AssertRefused(backbone, "FPO3028", "example 0 has 2 runs", good with { InputIds = [.. ids, image], Labels = null });
    }

    [Fact]
    public void A_row_with_images_is_never_cut()
    {
        using var backbone = QwenVlCase.Load();
        MultimodalExample good = QwenVlBatches.Rows(backbone)[1], text = QwenVlBatches.Rows(backbone)[2];
        int length = good.InputIds.Count;
        backbone.Check([good, text], length);
        AssertRefused(backbone, "FPO3029", $"example 1 has {length} tokens, MaxLength is {length - 1}", length - 1, text, good);
        Assert.Equal("FPO3029", Assert.Throws<RecipeException>(() => backbone.Collate([good], length - 1)).Id);
        using var scope = NewDisposeScope();
        Assert.Equal(2, backbone.Collate([text], 2).Tokens.InputIds.size(1));
    }

    [Fact]
    public void An_image_over_the_budget_is_refused()
    {
        using var backbone = QwenVlCase.Load();
        MultimodalExample good = QwenVlBatches.Rows(backbone)[1];
        PatchGrid grid = good.Images[0].Grid;
        long pixels = grid.Height * grid.Width * backbone.Patches.Size * backbone.Patches.Size;
        backbone.PixelBudget = pixels;
        backbone.Check([good], maxLength: 0);
        backbone.PixelBudget = pixels - 1;
        AssertRefused(backbone, "FPO3030", $"image 0 of example 0 has {grid.Height * backbone.Patches.Size} × {grid.Width * backbone.Patches.Size} = {pixels} pixels; allowed are {pixels - 1}", good);
    }

    [Fact]
    public void An_image_cut_in_another_way_is_refused()
    {
        using var backbone = QwenVlCase.Load();
        MultimodalExample good = QwenVlBatches.Rows(backbone)[1];
        ImagePatches image = good.Images[0];
        AssertRefused(backbone, "FPO3031", $"image 0 of example 0 has {image.Patches.Length - 1} numbers", good with { Images = [image with { Patches = image.Patches[1..] }] });
        AssertRefused(backbone, "FPO3031", "is a grid of 2 ×", good with { Images = [image with { Grid = image.Grid with { Frames = 2 } }] });
        AssertRefused(backbone, "FPO3031", $"both multiples of {backbone.Patches.Merge}", good with { Images = [image with { Grid = image.Grid with { Width = image.Grid.Width + 1 } }] });
    }

    private static void AssertRefused(MultimodalLM backbone, string id, string says, params MultimodalExample[] examples) => AssertRefused(backbone, id, says, 0, examples);

    private static void AssertRefused(MultimodalLM backbone, string id, string says, int maxLength, params MultimodalExample[] examples)
    {
        var error = Assert.Throws<RecipeException>(() => backbone.Check(examples, maxLength));
        Assert.Equal(id, error.Id);
        Assert.Contains(says, error.Message);
    }
}
