using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.PrefixTuning;
using FlatPO.Recipes.Adapters.PromptTuning;
using FlatPO.Recipes.Adapters.PTuning;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Backbones;

/// <summary>Padding is no distance: behind virtual tokens a text means the same alone and beside a longer one, wherever its padding is.</summary>
public sealed class VirtualTokenPadding
{
    private const double Tolerance = 1e-5;
    private const int VirtualTokens = 3;

    /// <summary>Methods that put something before a text, and decoders with learned positions, rotary ones and windows.</summary>
    public static TheoryData<string, string> Decoders => Each(["prompt", "p_tuning", "prefix"], [.. new[] { "opt", "llama", "llama3", "mistral", "qwen2", "qwen3" }.Select(Golden.Backbone), Golden.Variant("qwen2_window"), Golden.Variant("qwen3_window")]);

    public static TheoryData<string, string> Classifiers => Each(["prompt", "p_tuning"], [.. new[] { "bert", "roberta" }.Select(Golden.Backbone)]);

    [Theory, MemberData(nameof(Decoders))]
    public void A_text_padded_on_the_left_has_the_logits_it_has_alone(string method, string folder)
    {
        using Prompted<CausalLM> prompted = new(method, folder);
        AssertAlike(prompted, Padded(prompted.Texts, left: true));
    }

    [Theory, MemberData(nameof(Decoders))]
    public void So_has_one_padded_on_the_right(string method, string folder)
    {
        using Prompted<CausalLM> prompted = new(method, folder);
        TokenBatch batch = Padded(prompted.Texts, left: false);
        AssertAlike(prompted, batch);
        AssertAlike(prompted, batch with { Padding = Padding.Right });
    }

    [Theory, MemberData(nameof(Decoders))]
    public void Its_next_token_is_the_same_read_at_once_or_token_by_token(string method, string folder)
    {
        using Prompted<CausalLM> prompted = new(method, folder);
        TokenBatch together = Padded(prompted.Texts, left: true);
        Tensor atOnce = Next(prompted, together, first: together.InputIds.size(1)), oneByOne = Next(prompted, together, first: 1);
        for (int row = 0; row < prompted.Texts.Length; row++)
        {
            TokenBatch alone = Padded([prompted.Texts[row]], left: true);
            Tensor expected = prompted.Backbone.Logits(alone)[0, -1];
            Assert.InRange(Golden.LargestDifference(atOnce[row], expected), 0, Tolerance);
            Assert.InRange(Golden.LargestDifference(oneByOne[row], expected), 0, Tolerance);
        }
    }

    [Theory, MemberData(nameof(Classifiers))]
    public void A_classified_text_has_the_logits_it_has_alone(string method, string folder)
    {
        using Prompted<SequenceClassifier> prompted = new(method, folder);
        Tensor[] alone = [.. prompted.Texts.Select(text => prompted.Backbone.Logits(Classified(Padded([text], left: false))))];
        foreach (bool left in (bool[])[false, true])
            Assert.InRange(Golden.LargestDifference(prompted.Backbone.Logits(Classified(Padded(prompted.Texts, left))), cat(alone, 0)), 0, Tolerance);
    }

    private static void AssertAlike(Prompted<CausalLM> prompted, TokenBatch together)
    {
        Tensor logits = prompted.Backbone.Logits(together);
        long before = logits.size(1) - together.InputIds.size(1);
        for (int row = 0; row < prompted.Texts.Length; row++)
        {
            Tensor alone = prompted.Backbone.Logits(Padded([prompted.Texts[row]], left: false))[0, TensorIndex.Slice(before)];
            Tensor beside = logits[row, TensorIndex.Slice(before)][together.AttentionMask[row].ne(0)];
            Assert.InRange(Golden.LargestDifference(beside, alone), 0, Tolerance);
        }
    }

    // the first tokens in one pass, the others one by one
    private static Tensor Next(Prompted<CausalLM> prompted, TokenBatch batch, long first)
    {
        using KeyValueCache cache = new(batch.InputIds.size(1));
        Tensor? logits = null;
        for (long length = first; length <= batch.InputIds.size(1); length++)
            logits = prompted.Backbone.NextLogits(new DecoderPass(batch.InputIds.narrow(1, 0, length), batch.AttentionMask.narrow(1, 0, length), isPadded: true, cache));
        return logits!;
    }

    private static TokenBatch Padded(int[][] texts, bool left)
    {
        TokenRows rows = left ? TokenRows.EndingTogether(texts) : TokenRows.Of(texts, 0);
        Tensor ids = rows.OnDevice(rows.Ids, CPU);
        return new TokenBatch(ids, rows.OnDevice(rows.Mask, CPU), ids, 0);
    }

    private static SequenceBatch Classified(TokenBatch batch) =>
        new(batch.InputIds, batch.AttentionMask, zeros_like(batch.InputIds), zeros(batch.InputIds.size(0), int64)) { Padded = batch.AttentionMask.eq(0).any().item<bool>() };

    private static TheoryData<string, string> Each(string[] methods, string[] folders)
    {
        TheoryData<string, string> cases = [];
        foreach (string method in methods)
            foreach (string folder in folders)
                cases.Add(method, folder);
        return cases;
    }

    /// <summary>A backbone with virtual tokens before every text, and texts of unlike length.</summary>
    private sealed class Prompted<T> : IDisposable
        where T : Backbone
    {
        private readonly IDisposable scope = NewDisposeScope(), noGrad = no_grad(), bound;
        private readonly Arena arena;

        internal Prompted(string method, string folder)
        {
            Backbone = (T)BackboneLoader.Load(folder, CPU, Precision.Float32);
            AdapterPlacement placement = new(Backbone, seed: 7);
            InputSite inputs = Backbone.Weights.AllSites.OfType<InputSite>().Single();
            placement.Place(Of(method), inputs);
            arena = placement.BuildArena();
            bound = arena.Bind();
            int longest = (int)Math.Min(12, inputs.Table!.In / 2);
            Texts = [.. new[] { longest, longest - 2, longest / 2, 2 }.Select((length, row) => Enumerable.Range(0, length).Select(place => 2 + (5 * row + 3 * place) % (int)(inputs.Table.In - 2)).ToArray())];
        }

        internal T Backbone { get; }

        internal int[][] Texts { get; }

        private static AdapterMethod Of(string method) => method switch
        {
            "prompt" => new PromptTuningMethod { VirtualTokens = VirtualTokens },
            "p_tuning" => new PTuningMethod { VirtualTokens = VirtualTokens, EncoderSize = 8 },
            _ => new PrefixTuningMethod { VirtualTokens = VirtualTokens },
        };

        public void Dispose()
        {
            bound.Dispose();
            arena.Dispose();
            Backbone.Dispose();
            noGrad.Dispose();
            scope.Dispose();
        }
    }
}
