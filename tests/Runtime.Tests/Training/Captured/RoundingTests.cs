using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Adapters.PromptTuning;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training.Captured;

/// <summary>Batches of few sizes: which there are, and that a pass over a rounded window is the pass over the window.</summary>
public sealed class RoundingTests
{
    public static TheoryData<string> All => Families.All;

    [Theory]
    [InlineData(1), InlineData(7), InlineData(64), InlineData(100), InlineData(513), InlineData(4096)]
    public void Rows_come_in_at_most_eight_lengths_none_beyond_the_longest(long longest)
    {
        RowLengths lengths = new(longest);
        long[] found = [.. Enumerable.Range(1, (int)longest).Select(length => lengths.For(length))];
        Assert.InRange(found.Distinct().Count(), 1, RowLengths.Most);
        Assert.All(found, (padded, at) => Assert.InRange(padded, at + 1, longest));
        Assert.All(found.Where(padded => padded != longest), padded => Assert.Equal(0, padded % 8));
    }

    [Theory]
    [InlineData(4, 16), InlineData(3, 5), InlineData(8, 512)]
    public void The_loss_is_computed_on_a_number_of_eighths(long rows, long length)
    {
        long all = rows * length;
        long[] found = [.. Enumerable.Range(1, (int)all).Select(supervised => RowLengths.LossPlaces(supervised, all))];
        Assert.InRange(found.Distinct().Count(), 1, 8);
        Assert.All(found, (places, at) => Assert.InRange(places, at + 1, all));
    }

    [Theory]
    [InlineData(0, 9), InlineData(6, 6)]
    public void The_longest_row_is_the_examples_or_the_cut(int maxLength, long longest) =>
        Assert.Equal(longest, RowLengths.Of([new TokenExample([1, 2]), new TokenExample([.. Enumerable.Range(1, 9)])], maxLength).Longest);

    [Theory, MemberData(nameof(All)), Trait("Category", Golden.Category)]
    public void A_pass_over_a_rounded_window_is_the_pass_over_the_window(string family) =>
        Assert.True(Families.Visit(Golden.Backbone(family), Devices.Cpu, [5, 9, 3, 7], new Rounds(new LoraMethod { Rank = 2 }, Sites.AllLinear)));

    [Theory]
    [InlineData("opt"), InlineData("qwen2"), InlineData("bert"), InlineData("roberta")]
    public void Behind_a_prompt_too(string family) =>
        Assert.True(Families.Visit(Golden.Backbone(family), Devices.Cpu, [5, 9, 3, 7], new Rounds(new PromptTuningMethod { VirtualTokens = 3 }, Sites.Inputs)));

    [Fact]
    public void The_micro_batches_of_a_window_are_of_one_size()
    {
        using var scope = NewDisposeScope();
        TokenBatch Rows(int length) => Collation.Tokens([new TokenExample([.. Enumerable.Range(1, length)])], 0, CPU);
        IReadOnlyList<TokenBatch> rounded = new[] { Rows(3), Rows(11) }.Rounded(new RowLengths(40));
        Assert.Equal([16, 16], rounded.Select(batch => batch.Length));
        Assert.Equal([10, 10], rounded.Select(batch => batch.LossPlaces));
    }

    [Fact]
    public void Rows_whose_padding_counts_are_padded_no_further()
    {
        using var counting = (CausalLM)BackboneLoader.Load(Golden.Variant("llama_dynamic"), Devices.Cpu, Precision.Float32);
        using var plain = (CausalLM)BackboneLoader.Load(Golden.Backbone("llama"), Devices.Cpu, Precision.Float32);
        Assert.Equal((true, false), (counting.CountsPadding, plain.CountsPadding));
        Assert.Equal(5, default(RowLengths).For(5));
    }

    /// <summary>Passes over a window and over the rounded one; true where the second is larger, or there are no rows.</summary>
    private sealed class Rounds(AdapterMethod method, Sites sites) : IOnFamily<bool>
    {
        public bool On<TExample, TBatch>(Backbone<TExample, TBatch> backbone, TExample[] examples)
            where TBatch : IBatch
        {
            using var scope = NewDisposeScope();
            AdapterPlacement placement = new(backbone, seed: 3);
            placement.PlaceAtAll(method, sites);
            using Arena arena = placement.BuildArena();
            using (no_grad())
                arena.Values.add_(randn([arena.Count], generator: new Generator(11, CPU)).mul(0.05));
            TBatch[] batches = [.. examples.Chunk(2).Select(some => backbone.Collate(some, 0))];
            TBatch[] rounded = [.. batches.Select(batch => (TBatch)batch.Rounded(batches.Max(other => other.Length) + 5, batches.Max(other => other.Supervised)))];

            (Tensor loss, Tensor gradient) = Pass(batches);
            (Tensor roundedLoss, Tensor roundedGradient) = Pass(rounded);

            Assert.InRange(Golden.LargestDifference(roundedLoss, loss), 0, 1e-6 * loss.item<float>());
            Assert.InRange(Golden.LargestDifference(roundedGradient, gradient), 0, 1e-5 * gradient.abs().max().item<float>()); // sums over longer rows, in whatever order this processor adds them
            Assert.Equal(batches.Sum(batch => batch.Supervised), rounded.Sum(batch => batch.Supervised));
            Assert.Single(rounded.Select(batch => batch.Length).Distinct());
            return batches[0].Length == 0 || rounded[0].Length > batches.Max(batch => batch.Length);

            (Tensor Loss, Tensor Gradient) Pass(IReadOnlyList<TBatch> window) => (new Window<TBatch>(window, new RunSeed(0, 0)).Pass(arena, backbone.Loss), arena.Gradient.clone());
        }
    }
}
