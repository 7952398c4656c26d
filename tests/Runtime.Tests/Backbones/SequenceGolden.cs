using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

[Trait("Category", Golden.Category)]
public sealed class SequenceGolden(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string> Families => ["bert", "roberta"];

    [Theory, MemberData(nameof(Families))]
    public void Logits_and_loss_are_those_of_transformers(string name) => AssertSame(Golden.Backbone(name));

    [Theory, MemberData(nameof(Families))]
    public void So_they_are_under_less_usual_settings(string name) => AssertSame(Golden.Variant(name));

    private void AssertSame(string folder)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(folder);
        using var backbone = (SequenceClassifier)BackboneLoader.Load(folder, CPU, Precision.Float32);
        SequenceBatch batch = Batch(expected);

        double logits = Golden.LargestDifference(backbone.Logits(batch), expected.Read("logits"));
        double loss = Golden.LargestDifference(backbone.Loss(batch, batch.Supervised).reshape(1), expected.Read("loss"));

        output.WriteLine($"{Path.GetFileName(folder)}: largest difference of logits {logits:e2}, of loss {loss:e2}");
        Assert.InRange(logits, 0, Tolerance);
        Assert.InRange(loss, 0, Tolerance);
    }

    [Theory, MemberData(nameof(Families))]
    public void Hidden_states_are_those_of_the_model_without_its_head(string name)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Variant(name));
        using var backbone = (SequenceClassifier)BackboneLoader.Load(Golden.Variant(name), CPU, Precision.Float32);
        SequenceBatch batch = Batch(expected);
        Tensor tokens = batch.AttentionMask.ne(0);

        Assert.InRange(Golden.LargestDifference(backbone.HiddenStates(batch)[tokens], expected.Read("last_hidden_state")[tokens]), 0, Tolerance);
    }

    [Theory, MemberData(nameof(Families))]
    public void So_they_are_of_collated_examples_together_and_one_by_one(string name)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using SequenceClassifier backbone = Load(name);
        SequenceExample[] examples = Examples(expected);
        backbone.Check(examples, maxLength: 0);

        SequenceBatch together = backbone.Collate(examples, maxLength: 0);
        SequenceBatch[] alone = [.. examples.Select(example => backbone.Collate([example], maxLength: 0))];

        Assert.True(together.Padded);
        Assert.All(alone, batch => Assert.False(batch.Padded));
        Assert.InRange(Golden.LargestDifference(backbone.Logits(together), expected.Read("logits")), 0, Tolerance);
        Assert.InRange(Golden.LargestDifference(cat([.. alone.Select(backbone.Logits)], 0), expected.Read("logits")), 0, Tolerance);
    }

    [Theory, MemberData(nameof(Families))]
    public void Bfloat16_stays_near_float32(string name)
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone(name));
        using var backbone = (SequenceClassifier)BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.BFloat16);
        SequenceBatch batch = Batch(expected);

        Tensor logits = backbone.Logits(batch);
        double loss = Golden.LargestDifference(backbone.Loss(batch, batch.Supervised).reshape(1), expected.Read("loss"));

        output.WriteLine($"{name} in bfloat16: difference of loss {loss:e2}");
        Assert.Equal(ScalarType.BFloat16, logits.dtype);
        Assert.InRange(loss, 0, 0.05);
    }

    [Fact]
    public void The_second_text_is_told_from_the_first()
    {
        using var scope = NewDisposeScope();
        using SafetensorsFile expected = Golden.Case(Golden.Backbone("bert"));
        using SequenceClassifier backbone = Load("bert");
        SequenceExample[] plain = [Examples(expected)[0]];
        SequenceExample[] pair = [plain[0] with { TokenTypeIds = [.. plain[0].InputIds.Select((_, i) => i < 3 ? 0 : 1)] }];
        backbone.Check(pair, maxLength: 0);

        Tensor types = backbone.Collate(pair, maxLength: 5).TokenTypeIds;

        Assert.Equal([0, 0, 0, 1, 1], types.data<long>().ToArray());
        Assert.NotInRange(Golden.LargestDifference(backbone.Logits(backbone.Collate(pair, 0)), backbone.Logits(backbone.Collate(plain, 0))), 0, 1e-3);
    }

    [Fact]
    public void Roberta_counts_positions_past_padding_wherever_it_stands()
    {
        using var scope = NewDisposeScope();
        using SequenceClassifier backbone = Load("roberta");
        long padding = backbone.Config.Int("pad_token_id");
        Tensor ids = tensor((long[])[5, 6, padding, 7, 8]).unsqueeze(0);
        SequenceBatch batch = new(ids, ones_like(ids), zeros_like(ids), zeros(1, int64));
        Tensor places = backbone.Weights.All.Single(weight => weight.Name == "roberta.embeddings.position_embeddings.weight").Value;
        Tensor before = backbone.Logits(batch);

        double ChangeWith(long place)
        {
            places[place].add_(randn(places.size(1)));
            Tensor after = backbone.Logits(batch);
            double change = Golden.LargestDifference(after, before);
            before = after;
            return change;
        }

        // four tokens that count lie behind padding's own place: padding + 1 … padding + 4
        Assert.All(Enumerable.Range(0, 5), offset => Assert.NotEqual(0, ChangeWith(padding + offset)));
        Assert.Equal(0, ChangeWith(padding + 5));
        Assert.Equal(0, ChangeWith(padding - 1));
    }

    [Theory, MemberData(nameof(Families))]
    public void The_longest_row_is_computed_and_a_longer_one_refused(string name)
    {
        using var scope = NewDisposeScope();
        using SequenceClassifier backbone = Load(name);
        int longest = (int)backbone.LongestRow!.Value;
        SequenceExample fits = new([.. Enumerable.Repeat(7, longest)], 0), over = new([.. Enumerable.Repeat(7, longest + 1)], 0);

        backbone.Check([fits], maxLength: 0);
        backbone.Check([over], maxLength: longest);
        Assert.True(backbone.Logits(backbone.Collate([fits], 0)).isfinite().all().item<bool>());
        AssertRefused("FPO3006", () => backbone.Check([over], maxLength: 0), "example 0", $"{longest + 1}", $"positions for {longest}");
    }

    [Theory, MemberData(nameof(Families))]
    public void An_example_the_network_cannot_read_is_refused(string name)
    {
        using SequenceClassifier backbone = Load(name);
        long vocabulary = backbone.Config.Int("vocab_size"), labels = backbone.Config.Labels;
        SequenceExample good = new([5, 6], 0);

        AssertRefused("FPO3013", () => backbone.Check([good, new([5, (int)vocabulary], 0)], 0), "example 1", $"token id {vocabulary}");
        AssertRefused("FPO3013", () => backbone.Check([new([5], (int)labels)], 0), $"label {labels}", $"0 to {labels - 1}");
        AssertRefused("FPO3021", () => backbone.Check([good with { TokenTypeIds = [0, (int)backbone.TokenTypes] }], 0), $"token type {backbone.TokenTypes}", "type_vocab_size");
        AssertRefused("FPO3020", () => backbone.Collate([new([], 0)], 0), "no tokens");
        AssertRefused("FPO3020", () => backbone.Collate([good with { TokenTypeIds = [0] }], 0), "2 tokens but 1 token types");
    }

    [Theory]
    [InlineData("bert", "num_labels", "1", "'num_labels' is 1", "regression")]
    [InlineData("roberta", "id2label", """{"0":"score"}""", "'id2label' is", "regression")]
    [InlineData("bert", "problem_type", "\"multi_label_classification\"", "'problem_type' is \"multi_label_classification\"", "single_label_classification")]
    [InlineData("roberta", "problem_type", "\"regression\"", "'problem_type' is", "one label")]
    [InlineData("bert", "position_embedding_type", "\"relative_key\"", "'position_embedding_type'", "absolute")]
    [InlineData("bert", "is_decoder", "true", "'is_decoder'", "false")]
    public void What_is_no_single_label_classifier_is_refused(string name, string key, string value, params string[] words)
    {
        using TemporaryFolder folder = new TemporaryFolder().With(Golden.Backbone(name));
        var config = (JsonObject)JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        if (key == "num_labels")
            config.Remove("id2label");
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString());

        AssertRefused("FPO4006", () => BackboneLoader.Load(folder.Path, CPU, Precision.Float32), words);
    }

    internal static SequenceBatch Batch(SafetensorsFile expected)
    {
        Tensor ids = expected.Read("input_ids");
        Tensor labels = expected.Entries.ContainsKey("labels") ? expected.Read("labels") : zeros(ids.size(0), int64);
        Tensor types = expected.Entries.ContainsKey("token_type_ids") ? expected.Read("token_type_ids") : zeros_like(ids);
        return new SequenceBatch(ids, expected.Read("attention_mask"), types, labels);
    }

    private static SequenceExample[] Examples(SafetensorsFile expected)
    {
        Tensor ids = expected.Read("input_ids"), labels = expected.Read("labels");
        long[] lengths = expected.Read("attention_mask").sum(1).data<long>().ToArray();
        return [.. lengths.Select((length, row) => new SequenceExample([.. ids[row].narrow(0, 0, length).data<long>().ToArray().Select(id => (int)id)], (int)labels[row].item<long>()))];
    }

    private static SequenceClassifier Load(string name) => (SequenceClassifier)BackboneLoader.Load(Golden.Backbone(name), CPU, Precision.Float32);

    private static void AssertRefused(string id, Action action, params string[] words)
    {
        var error = Assert.Throws<RecipeException>(action);
        Assert.Equal(id, error.Id);
        Assert.All(words, word => Assert.Contains(word, error.Message));
    }
}
