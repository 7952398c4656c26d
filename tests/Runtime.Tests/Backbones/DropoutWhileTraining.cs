using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

[Trait("Category", Golden.Category)]
public sealed class DropoutWhileTraining
{
    [Theory]
    [InlineData("opt", "dropout")]
    [InlineData("opt", "attention_dropout")]
    [InlineData("opt", "layerdrop")]
    [InlineData("llama", "attention_dropout")]
    [InlineData("qwen2", "attention_dropout")]
    [InlineData("mistral", "attention_dropout")]
    [InlineData("qwen3", "attention_dropout")]
    public void Decoders_drop_what_the_configuration_says(string name, string key)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (CausalLM)LoadWith(name, key);
        TokenBatch batch = CausalGolden.Batch(expected);
        AssertDrops(backbone, () => backbone.Logits(batch), expected.Read("logits"), batch.AttentionMask.ne(0));
    }

    [Theory]
    [InlineData("hidden_dropout_prob")]
    [InlineData("attention_probs_dropout_prob")]
    public void Vit_drops_what_the_configuration_says(string key)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("vit"));
        using var backbone = (ImageClassifier)LoadWith("vit", key);
        ImageBatch batch = new(expected.Read("pixel_values"), expected.Read("labels"));
        AssertDrops(backbone, () => backbone.Logits(batch), expected.Read("logits"), ones_like(expected.Read("logits")).ne(0));
    }

    [Theory]
    [InlineData("text_config")]
    [InlineData("vision_config")]
    public void Clip_drops_what_the_configuration_of_each_tower_says(string tower)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
        using ImageTextModel backbone = ClipGolden.Load(Golden.Backbone("clip"), config => config[tower]!["attention_dropout"] = 0.5);
        ImageTextBatch batch = ClipGolden.Batch(expected);
        AssertDrops(backbone, () => backbone.Logits(batch), expected.Read("logits_per_image"), ones_like(expected.Read("logits_per_image")).ne(0));
    }

    [Theory]
    [InlineData("bert", "hidden_dropout_prob")]
    [InlineData("bert", "attention_probs_dropout_prob")]
    [InlineData("bert", "classifier_dropout")]
    [InlineData("roberta", "hidden_dropout_prob")]
    [InlineData("roberta", "attention_probs_dropout_prob")]
    [InlineData("roberta", "classifier_dropout")]
    public void Text_classifiers_drop_what_the_configuration_says(string name, string key)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (SequenceClassifier)LoadWith(name, key);
        SequenceBatch batch = SequenceGolden.Batch(expected);
        AssertDrops(backbone, () => backbone.Logits(batch), expected.Read("logits"), ones_like(expected.Read("logits")).ne(0));
    }

    private static void AssertDrops(Backbone backbone, Func<Tensor> logits, Tensor expected, Tensor where)
    {
        Assert.InRange(Golden.LargestDifference(logits()[where], expected[where]), 0, 1e-4); // evaluating: nothing is dropped

        backbone.Training = true;
        manual_seed(3);
        Tensor first = logits();
        manual_seed(3);
        Tensor again = logits();
        manual_seed(4);
        Tensor other = logits();

        Assert.Equal(0, Golden.LargestDifference(first, again));
        Assert.True(Golden.LargestDifference(first, other) > 1e-4);
    }

    private static Backbone LoadWith(string name, string key)
    {
        using TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone(name));
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        config[key] = 0.5;
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());
        return BackboneLoader.Load(folder.Path, CPU, Precision.Float32);
    }
}
