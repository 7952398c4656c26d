using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Tests.Backbones;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>CLIP with LoRA in both towers: what its task accepts, how its texts are cut, and that it learns.</summary>
[Trait("Category", Golden.Category)]
public sealed class ImageTextTests : IDisposable
{
    private readonly ImageTextModel backbone = ClipGolden.Load(Golden.Backbone("clip"));
    private readonly SafetensorsFile expected = Golden.Case(Golden.Backbone("clip"));
    private readonly ImageTextExample[] pairs;
    private readonly int end;

    public ImageTextTests()
    {
        pairs = ClipExamples.Pairs(expected);
        end = (int)backbone.Config.Int("text_config.eos_token_id");
    }

    [Fact]
    public void Training_lowers_the_loss_and_pairs_what_belongs_together()
    {
        AdapterPlacement placement = new(backbone, seed: 3);
        LoraMethod lora = new() { Rank = 4, Alpha = 8 };
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0))
            placement.Place(lora, site.Module);
        using Arena arena = placement.BuildArena();
        using AdamW optimizer = new(arena) { LearningRate = 1e-2 };
        Evaluator evaluator = new(placement, arena);
        Evaluation before = evaluator.Evaluate(backbone, pairs);

        new TrainingLoop { Epochs = 30, BatchSize = pairs.Length }.Run(
            placement, pairs, new TrainingSteps<ImageTextExample, ImageTextBatch>(backbone, Step, optimizer, new ConstantSchedule()), null, CancellationToken.None);

        Evaluation after = evaluator.Evaluate(backbone, pairs);
        Assert.InRange(after.Loss, 0, 0.5 * before.Loss);
        Assert.Equal(1, after.Accuracy);
        Assert.Equal(2 * pairs.Length, after.Predictions);
        using (arena.Bind())
            Assert.Equal(Enumerable.Range(0, pairs.Length), backbone.Classify(ClipExamples.Images(expected), [.. pairs.Select(pair => pair.InputIds)]));

        StepReport Step(Window<ImageTextBatch> window)
        {
            Tensor loss = window.Pass(arena, backbone.Loss);
            optimizer.Step();
            return new StepReport(loss);
        }
    }

    [Fact]
    public void Texts_are_padded_on_the_right_and_keep_their_end_when_they_are_cut()
    {
        using var scope = NewDisposeScope();
        ImageTextExample[] texts = [pairs[0] with { InputIds = [8, 5, 6, 7, 9, end] }, pairs[0] with { InputIds = [8, 5, end] }, pairs[0] with { InputIds = [8, 5, end, 6, 7] }];

        ImageTextBatch batch = backbone.Collate(texts, 4);

        Assert.Equal([8, 5, 6, end, 8, 5, end, 0, 8, 5, end, 6], batch.InputIds.data<long>().ToArray());
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1], batch.AttentionMask.data<long>().ToArray());
        Assert.Equal(Padding.Right, batch.Padding);
        Assert.Equal([texts.Length, 6], backbone.Collate(texts, 0).InputIds.shape);
    }

    [Fact]
    public void A_text_longer_than_the_positions_is_an_error_unless_it_is_cut()
    {
        int limit = (int)backbone.LongestText;
        ImageTextExample lengthy = pairs[0] with { InputIds = [.. Enumerable.Repeat(7, limit), end] };

        Fails("FPO3006", $"example 1 has {limit + 1} tokens; the backbone has positions for {limit}", pairs[0], lengthy);
        backbone.Check([pairs[0], lengthy], limit);
    }

    [Fact]
    public void A_text_without_its_end_is_an_error_that_names_the_example()
    {
        Fails("FPO3025", "example 1 has a text without its last token", pairs[0], pairs[0] with { InputIds = [5, 6, 7] });
        Fails("FPO3025", "example 0 has a text without its last token", pairs[0] with { InputIds = [] });
    }

    [Fact]
    public void An_id_outside_the_vocabulary_is_an_error()
    {
        int vocabulary = (int)backbone.Config.Int("text_config.vocab_size");
        Fails("FPO3013", $"example 0 has token id {vocabulary}", pairs[0] with { InputIds = [5, vocabulary, end] });
    }

    [Fact]
    public void Images_of_two_sizes_are_an_error()
    {
        RecipeException error = Assert.Throws<RecipeException>(() => backbone.Collate([pairs[0], pairs[0] with { Shape = new ImageShape(1, 1, 1), Pixels = [0] }], 0));
        Assert.Equal("FPO3012", error.Id);
        Assert.Contains("image 1", error.Message);
    }

    private void Fails(string id, string words, params ImageTextExample[] examples)
    {
        RecipeException error = Assert.Throws<RecipeException>(() => backbone.Check(examples, 0));
        Assert.Equal(id, error.Id);
        Assert.Contains(words, error.Message);
    }

    public void Dispose()
    {
        expected.Dispose();
        backbone.Dispose();
    }
}
