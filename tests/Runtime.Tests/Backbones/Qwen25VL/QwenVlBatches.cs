using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Qwen25VL;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

/// <summary>What becomes of rows with no image, one or several, alone and beside others.</summary>
[Trait("Category", Golden.Category)]
public sealed class QwenVlBatches
{
    private const double Tolerance = 1e-4;

    [Fact]
    public void A_row_beside_others_is_the_row_alone()
    {
        using var scope = NewDisposeScope();
        using var backbone = QwenVlCase.Load();
        MultimodalExample[] rows = Rows(backbone);
        backbone.Check(rows, maxLength: 0);
        Tensor together = backbone.Logits(backbone.Collate(rows, maxLength: 0));
        for (int row = 0; row < rows.Length; row++)
        {
            Tensor alone = backbone.Logits(backbone.Collate([rows[row]], maxLength: 0));
            Assert.InRange(Golden.LargestDifference(together[row].narrow(0, 0, rows[row].InputIds.Count).unsqueeze(0), alone), 0, Tolerance);
        }
    }

    [Fact]
    public void Padding_on_the_left_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var backbone = QwenVlCase.Load();
        MultimodalBatch batch = backbone.Collate([Rows(backbone)[1]], maxLength: 0);
        TokenBatch tokens = batch.Tokens;
        Tensor Shifted(Tensor tensor) => cat([zeros(1, 3, int64), tensor], 1);
        TokenBatch shifted = new(Shifted(tokens.InputIds), Shifted(tokens.AttentionMask), Shifted(tokens.Labels), tokens.Supervised);
        Tensor logits = backbone.Logits(new MultimodalBatch(shifted, batch.PixelValues, batch.Grids));
        Assert.InRange(Golden.LargestDifference(logits.narrow(1, 3, tokens.InputIds.size(1)), backbone.Logits(batch)), 0, Tolerance);
    }

    [Fact]
    public void Text_alone_is_what_qwen2_makes_of_it()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new();
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(QwenVlCase.Folder, "model.safetensors"));
        SafetensorsWriter.Write(folder.File("model.safetensors"), weights.Entries.Keys.Where(name => !name.StartsWith("visual.", StringComparison.Ordinal)).ToDictionary(name => name, weights.Read));
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(QwenVlCase.Folder, "config.json")))!;
        JsonNode text = config["text_config"]!.DeepClone();
        (text["model_type"], text["tie_word_embeddings"]) = ("qwen2", config["tie_word_embeddings"]!.DeepClone());
        File.WriteAllText(folder.File("config.json"), text.ToJsonString());
        using var qwen2 = (CausalLM)BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
        using var backbone = QwenVlCase.Load();
        Random random = new(5);
        MultimodalBatch batch = backbone.Collate([QwenVlCase.Row(backbone, random, 9), QwenVlCase.Row(backbone, random, 4)], maxLength: 7);
        Assert.Null(batch.PixelValues);
        Assert.Equal(7, batch.Tokens.InputIds.size(1)); // cut, as a causal language model's rows are
        Tensor tokens = batch.Tokens.AttentionMask.ne(0);
        Assert.InRange(Golden.LargestDifference(backbone.Logits(batch)[tokens], qwen2.Logits(batch.Tokens)[tokens]), 0, Tolerance);
    }

    [Fact]
    public void Positions_go_on_behind_the_longer_side_of_an_image()
    {
        // 2 tokens, an image of 2 × 3 tokens, 1 token, an image of 2 × 1, 2 tokens; then a row of text
        TokenRows rows = TokenRows.Of([[5, 6, 99, 99, 99, 99, 99, 99, 7, 99, 99, 8, 9], [1, 2, 3]], maxLength: 0);
        MultimodalPositions positions = MultimodalPositions.Of(rows, [new PatchGrid(1, 4, 6), new PatchGrid(1, 4, 2)], imageToken: 99, merge: 2);
        long[][] axes = [.. positions.Numbers.Chunk(13)];
        Assert.Equal([0, 1, 2, 2, 2, 2, 2, 2, 5, 6, 6, 8, 9], axes[0]);
        Assert.Equal([0, 1, 2, 2, 2, 3, 3, 3, 5, 6, 7, 8, 9], axes[2]);
        Assert.Equal([0, 1, 2, 3, 4, 2, 3, 4, 5, 6, 6, 8, 9], axes[4]);
        Assert.All([axes[1], axes[3], axes[5]], text => Assert.Equal([0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], text));
        Assert.Equal([2, 3, 4, 5, 6, 7, 9, 10], positions.ImageTokens);
    }

    [Theory]
    [InlineData(new[] { 5, 99, 99, 6 }, "2 image tokens one behind the other; expected 6")]
    [InlineData(new[] { 5, 99, 99, 99, 99, 99, 99, 6, 99 }, "behind those of its last image")]
    [InlineData(new[] { 5, 6, 7 }, "has 1 images; its rows have image tokens (id 99) for 0")]
    public void A_batch_whose_image_tokens_are_not_its_images_is_refused(int[] ids, string says)
    {
        var error = Assert.Throws<RecipeException>(() => MultimodalPositions.Of(TokenRows.Of([ids], 0), [new PatchGrid(1, 4, 6)], 99, 2));
        Assert.Equal("FPO3032", error.Id);
        Assert.Contains(says, error.Message);
    }

    [Fact]
    public void A_batch_whose_pixels_are_not_its_images_is_refused()
    {
        using var scope = NewDisposeScope();
        using var backbone = QwenVlCase.Load();
        MultimodalBatch batch = backbone.Collate([Rows(backbone)[1]], maxLength: 0);
        long patches = batch.PixelValues!.size(0);
        var fewer = Assert.Throws<RecipeException>(() => backbone.Logits(batch with { PixelValues = batch.PixelValues.narrow(0, 0, 3) }));
        var none = Assert.Throws<RecipeException>(() => backbone.Logits(batch with { PixelValues = null }));
        Assert.Equal(("FPO3032", "FPO3032"), (fewer.Id, none.Id));
        Assert.Contains($"[{patches}, {backbone.Patches.Numbers}]", fewer.Message);
    }

    /// <summary>Two images of different sizes and some text; one image; text alone.</summary>
    internal static MultimodalExample[] Rows(MultimodalLM backbone)
    {
        Random random = new(3);
        int merge = (int)backbone.Patches.Merge;
        ImagePatches Image(int height, int width) => QwenVlCase.Image(backbone, height * merge, width * merge, random);
        return
        [
            QwenVlCase.Row(backbone, random, 2, Image(5, 3), 1, Image(1, 2), 4),
            QwenVlCase.Row(backbone, random, 3, Image(3, 3), 2),
            QwenVlCase.Row(backbone, random, 6),
        ];
    }
}
