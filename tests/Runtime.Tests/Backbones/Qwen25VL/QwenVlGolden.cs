using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones.Qwen25VL;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones.Qwen25VL;

[Trait("Category", Golden.Category)]
public sealed class QwenVlGolden(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    /// <summary>What the golden folder has, and the variant: two images in a row, none, one behind padding; windows cut at the edges, an untied head, a window on the decoder.</summary>
    public static TheoryData<string> Folders => [QwenVlCase.Folder, Golden.Variant("qwen2_5_vl")];

    [Theory, MemberData(nameof(Folders))]
    public void Logits_loss_and_features_are_those_of_transformers(string folder)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(folder);
        using var backbone = QwenVlCase.Load(folder);
        MultimodalBatch batch = QwenVlCase.Batch(expected);
        AssertSame(backbone, batch, expected);
        double seen = Golden.LargestDifference(backbone.ImageFeatures(batch.PixelValues, batch.Grids), expected.Read("vision_embeds"));
        output.WriteLine($"largest difference of an image feature {seen:e2}");
        Assert.InRange(seen, 0, Tolerance);
    }

    [Fact]
    public void So_they_are_where_the_padding_is_known()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(QwenVlCase.Folder);
        using var backbone = QwenVlCase.Load();
        MultimodalBatch batch = QwenVlCase.Batch(expected);
        AssertSame(backbone, batch with { Tokens = batch.Tokens with { Padding = Padding.Right } }, expected);
    }

    [Fact]
    public void So_they_are_from_examples()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(QwenVlCase.Folder);
        using var backbone = QwenVlCase.Load();
        MultimodalExample[] examples = QwenVlCase.Examples(expected, backbone);
        backbone.Check(examples, maxLength: 0);
        MultimodalBatch batch = backbone.Collate(examples, maxLength: 0);
        Assert.Equal(Padding.Right, batch.Tokens.Padding);
        AssertSame(backbone, batch, expected);
    }

    [Theory, MemberData(nameof(Folders))]
    public void Positions_are_those_of_transformers(string folder)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(folder);
        using var backbone = QwenVlCase.Load(folder);
        MultimodalBatch batch = QwenVlCase.Batch(expected);
        MultimodalPositions positions = MultimodalPositions.Of(TokenRows.Of(batch.Tokens), batch.Grids, backbone.ImageToken, (int)backbone.Patches.Merge);
        Assert.Equal(expected.Read("position_ids").data<long>().ToArray(), positions.Numbers);
    }

    /// <summary>config.json as the model was published: the decoder's keys at the top, <c>rope_scaling</c>, <c>in_chans</c>.</summary>
    [Theory]
    [InlineData("mrope")]
    [InlineData("default")]
    public void The_published_spelling_of_the_configuration_is_read(string kind)
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new TemporaryFolder().With(QwenVlCase.Folder);
        File.WriteAllText(folder.File("config.json"), Published(kind).ToJsonString());
        using SafetensorsFile expected = Golden.Case(QwenVlCase.Folder);
        using var backbone = QwenVlCase.Load(folder.Path);
        AssertSame(backbone, QwenVlCase.Batch(expected), expected);
    }

    [Fact]
    public void A_head_of_its_own_is_loaded()
    {
        using var scope = NewDisposeScope();
        using TemporaryFolder folder = new TemporaryFolder().With(QwenVlCase.Folder);
        JsonObject config = Published("mrope");
        bool tied = (bool)config["tie_word_embeddings"]!;
        config["tie_word_embeddings"] = false;
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        if (tied) // transformers wrote no head: give it the embedding's numbers, doubled
            using (SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(QwenVlCase.Folder, "model.safetensors")))
                SafetensorsWriter.Write(folder.File("model.safetensors"), weights.Entries.Keys.ToDictionary(name => name, weights.Read)
                    .Append(new("lm_head.weight", weights.Read("model.embed_tokens.weight") * 2)).ToDictionary(pair => pair.Key, pair => pair.Value));
        using SafetensorsFile expected = Golden.Case(QwenVlCase.Folder);
        using var backbone = QwenVlCase.Load(folder.Path);
        Tensor logits = backbone.Logits(QwenVlCase.Batch(expected));
        Assert.InRange(Golden.LargestDifference(logits, (tied ? 2 : 1) * QwenVlCase.Load().Logits(QwenVlCase.Batch(expected))), 0, Tolerance);
    }

    [Fact]
    public void Bfloat16_stays_near_float32()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(QwenVlCase.Folder);
        using var backbone = QwenVlCase.Load(Precision.BFloat16);
        MultimodalBatch batch = QwenVlCase.Batch(expected);
        double loss = Golden.LargestDifference(backbone.Loss(batch, batch.Supervised).reshape(1), expected.Read("loss"));
        output.WriteLine($"in bfloat16: difference of loss {loss:e2}");
        Assert.Equal(ScalarType.BFloat16, backbone.Logits(batch).dtype);
        Assert.InRange(loss, 0, 0.05);
    }

    private void AssertSame(Qwen2_5_VLForConditionalGeneration backbone, MultimodalBatch batch, SafetensorsFile expected)
    {
        Tensor tokens = expected.Read("attention_mask").ne(0);
        double logits = Golden.LargestDifference(backbone.Logits(batch)[tokens], expected.Read("logits")[tokens]);
        double loss = Golden.LargestDifference(backbone.Loss(batch, batch.Supervised).reshape(1), expected.Read("loss"));
        output.WriteLine($"largest difference of logits {logits:e2}, of loss {loss:e2}");
        Assert.InRange(logits, 0, Tolerance);
        Assert.InRange(loss, 0, Tolerance);
    }

    private static JsonObject Published(string kind)
    {
        var nested = (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(QwenVlCase.Folder, "config.json")))!;
        JsonObject flat = [];
        var text = (JsonObject)nested["text_config"]!;
        foreach ((string key, JsonNode? value) in text.Concat(nested).Where(pair => pair.Key is not ("text_config" or "model_type" or "rope_parameters" or "layer_types")))
            flat[key] = value?.DeepClone();
        flat["model_type"] = "qwen2_5_vl";
        flat["rope_theta"] = text["rope_parameters"]!["rope_theta"]!.DeepClone();
        flat["rope_scaling"] = new JsonObject { ["type"] = kind, ["mrope_section"] = text["rope_parameters"]!["mrope_section"]!.DeepClone() };
        var vision = (JsonObject)flat["vision_config"]!;
        vision["in_chans"] = vision["in_channels"]?.DeepClone() ?? 3;
        vision.Remove("in_channels");
        vision.Remove("rope_parameters");
        return flat;
    }
}
