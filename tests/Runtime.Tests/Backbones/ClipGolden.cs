using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Clip;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

[Trait("Category", Golden.Category)]
public sealed class ClipGolden(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    // A vector of length 1 has small numbers: another epsilon in the norms moves them by less than the tolerance of logits.
    private const double OfUnit = 1e-5;

    [Theory]
    [InlineData(Padding.Unknown)]
    [InlineData(Padding.Right)]
    public void Embeddings_and_logits_are_those_of_transformers(Padding padding)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using CLIPModel backbone = BackboneLoader.Load(Golden.Backbone("clip"), CPU, Precision.Float32, weights => new CLIPModel(weights));
        ImageTextBatch batch = Batch(expected) with { Padding = padding };

        AssertNear("image_embeds", backbone.ImageEmbeddings(batch.PixelValues), expected, OfUnit);
        AssertNear("text_embeds", backbone.TextEmbeddings(batch.InputIds, batch.AttentionMask, padding), expected, OfUnit);
        AssertNear("logits_per_image", backbone.Logits(batch), expected, Tolerance);
    }

    [Fact]
    public void The_loss_is_transformers_clip_loss()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using ImageTextModel backbone = Load(Golden.Backbone("clip"));
        ImageTextBatch batch = Pairs(expected);
        long rows = batch.InputIds.size(0);
        Tensor perImage = expected.Read("logits_per_image").narrow(0, 0, rows).narrow(1, 0, rows), right = arange(rows);

        Tensor wanted = (nn.functional.cross_entropy(perImage, right) + nn.functional.cross_entropy(perImage.t(), right)) / 2;

        Assert.Equal(2 * rows, batch.Supervised);
        Assert.InRange(Golden.LargestDifference(backbone.Loss(batch, batch.Supervised), wanted), 0, Tolerance);
    }

    [Fact]
    public void An_old_configuration_reads_a_text_at_its_largest_id()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using ImageTextModel old = Load(Golden.Backbone("clip"), config => config["text_config"]!["eos_token_id"] = 2);
        ImageTextBatch batch = Batch(expected);

        AssertNear("text_embeds", old.TextEmbeddings(batch.InputIds, batch.AttentionMask), expected, OfUnit);
        Assert.Equal(2, old.EndOf([3, 7, 9, 9, 4]));
    }

    [Fact]
    public void A_text_is_read_at_the_first_end_whatever_comes_behind()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using ImageTextModel backbone = Load(Golden.Backbone("clip"), config => config["text_config"]!["eos_token_id"] = 11);
        Tensor ids = tensor(new long[,] { { 6, 7, 11, 14, 11, 8 }, { 9, 11, 15, 16, 17, 18 } });

        Tensor all = backbone.TextEmbeddings(ids, ones_like(ids)), first = backbone.TextEmbeddings(ids.narrow(1, 0, 3), ones_like(ids).narrow(1, 0, 3));

        Assert.InRange(Golden.LargestDifference(all, first), 0, 1e-5);
    }

    [Fact]
    public void Left_padding_hides_nothing_but_itself()
    {
        using var scope = NewDisposeScope();
        using ImageTextModel backbone = Load(Golden.Backbone("clip"));
        int end = (int)backbone.Config.Int("text_config.eos_token_id");
        Tensor one = tensor(new long[,] { { 5, 5, 6, 7, end } }), other = tensor(new long[,] { { 8, 9, 6, 7, end } }), mask = tensor(new long[,] { { 0, 0, 1, 1, 1 } });

        Assert.InRange(Golden.LargestDifference(backbone.TextEmbeddings(one, mask), backbone.TextEmbeddings(other, mask)), 0, 1e-5);
    }

    [Fact]
    public void The_best_text_of_each_image_is_that_of_transformers()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using ImageTextModel backbone = Load(Golden.Backbone("clip"));

        IReadOnlyList<int> best = backbone.Classify(ClipExamples.Images(expected), ClipExamples.Texts(expected));

        Assert.Equal(expected.Read("logits_per_image").argmax(1).data<long>().ToArray().Select(index => (int)index), best);
        Assert.Empty(backbone.Classify([], ClipExamples.Texts(expected)));
        Assert.Equal("FPO3026", Assert.Throws<RecipeException>(() => backbone.Classify(ClipExamples.Images(expected), [])).Id);
    }

    [Fact]
    public void Bfloat16_stays_near_float32()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using var backbone = (ImageTextModel)BackboneLoader.Load(Golden.Backbone("clip"), CPU, Precision.BFloat16);
        ImageTextBatch batch = Batch(expected);

        double images = SmallestCosine(backbone.ImageEmbeddings(batch.PixelValues), expected.Read("image_embeds"));
        double texts = SmallestCosine(backbone.TextEmbeddings(batch.InputIds, batch.AttentionMask), expected.Read("text_embeds"));

        output.WriteLine($"clip in bfloat16: smallest cosine of an image's vector with its own {images:f5}, of a text's {texts:f5}");
        Assert.InRange(images, 0.99, 1.001); // bfloat16 keeps 8 bits; what counts of these vectors is their direction
        Assert.InRange(texts, 0.99, 1.001);
    }

    private static double SmallestCosine(Tensor vectors, Tensor expected) => vectors.mul(expected).sum(-1).min().item<float>(); // of length 1, both

    [Fact]
    public void Buffers_that_old_versions_saved_are_passed_over()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone("clip"));
        string path = folder.File("model.safetensors");
        Dictionary<string, Tensor> tensors;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
            tensors = file.Entries.Keys.ToDictionary(name => name, name => file.Read(name).clone());
        foreach (string tower in (string[])["text_model", "vision_model"])
            tensors[$"{tower}.embeddings.position_ids"] = arange(7).view(1, -1);
        SafetensorsWriter.Write(path, tensors);

        using ImageTextModel backbone = Load(folder.Path);

        Assert.DoesNotContain(backbone.Weights.All, weight => weight.Name.EndsWith("position_ids", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_linear_layer_is_part_of_all_linear()
    {
        using ImageTextModel backbone = Load(Golden.Backbone("clip"));
        Assert.All(backbone.Weights.Projections, projection => Assert.NotEqual(Sites.None, projection.Role & Sites.AllLinear));
    }

    internal static ImageTextBatch Batch(SafetensorsFile expected) => new(expected.Read("pixel_values"), expected.Read("input_ids"), expected.Read("attention_mask"));

    /// <summary>As many of the case's texts as images.</summary>
    internal static ImageTextBatch Pairs(SafetensorsFile expected)
    {
        (Tensor pixels, Tensor ids, Tensor mask) = Batch(expected);
        long rows = Math.Min(pixels.size(0), ids.size(0));
        return new ImageTextBatch(pixels.narrow(0, 0, rows), ids.narrow(0, 0, rows), mask.narrow(0, 0, rows));
    }

    internal static ImageTextModel Load(string source, Action<JsonObject>? edit = null)
    {
        using TemporaryFolder folder = new TemporaryFolder().With(source);
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File(ModelConfig.FileName)))!;
        edit?.Invoke(config);
        File.WriteAllText(folder.File(ModelConfig.FileName), config.ToJsonString());
        return (ImageTextModel)BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
    }

    private void AssertNear(string name, Tensor actual, SafetensorsFile expected, double tolerance)
    {
        double difference = Golden.LargestDifference(actual, expected.Read(name));
        output.WriteLine($"clip: largest difference of {name} {difference:e2}");
        Assert.InRange(difference, 0, tolerance);
    }
}
