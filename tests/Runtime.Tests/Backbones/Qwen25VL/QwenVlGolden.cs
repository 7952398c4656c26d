using System.Text;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Backbones.Qwen25VL;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Training;
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

    [Theory]
    [InlineData("text_config.rope_parameters.mrope_section", "[1]", "three whole numbers that add up to half a head's width")]
    [InlineData("vision_config.out_hidden_size", "7", "the decoder's hidden_size")]
    [InlineData("vision_config.num_heads", "5", "a divisor of hidden_size")]
    [InlineData("vision_config.window_size", "1", "at least spatial_merge_size")]
    public void A_configuration_that_cannot_be_is_refused(string key, string value, string says)
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(QwenVlCase.Folder, "config.json")))!;
        string[] path = key.Split('.');
        path[..^1].Aggregate(config, (node, part) => node[part]!)[path[^1]] = JsonNode.Parse(value);
        using WeightTable weights = new(ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(config.ToJsonString())), CPU, ScalarType.Float32);
        var error = Assert.Throws<RecipeException>(() => new Qwen2_5_VLForConditionalGeneration(weights));
        Assert.Equal("FPO4006", error.Id);
        Assert.Contains($"'{key}' is {value}; expected ", error.Message);
        Assert.Contains(says, error.Message);
    }

    /// <summary>A recipe is compiled for one spelling of config.json and may load a folder of the other.</summary>
    [Fact]
    public void Both_spellings_are_of_the_size_a_recipe_was_compiled_for()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("config.json"), Published("mrope").ToJsonString());
        long width = ModelConfig.Open(folder.Path).Int("hidden_size");
        CompiledFor.Check(folder.Path, "qwen2_5_vl", ("text_config.hidden_size", width));
        CompiledFor.Check(QwenVlCase.Folder, "qwen2_5_vl", ("hidden_size", width));
        var error = Assert.Throws<RecipeException>(() => CompiledFor.Check(QwenVlCase.Folder, "qwen2_5_vl", ("hidden_size", width + 1)));
        Assert.Contains($"hidden_size is {width}, but the recipe was compiled for {width + 1}", error.Message);
        Assert.Contains("no_such_size is missing", Assert.Throws<RecipeException>(() => CompiledFor.Check(folder.Path, "qwen2_5_vl", ("no_such_size", 1))).Message);
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
