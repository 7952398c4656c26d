using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.PromptTuning;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Tests.Backbones;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Adapters;

/// <summary>What stands before a text changes its logits by design; what it must do exactly is what the base does with the same before it.</summary>
internal static class VirtualTokenIdentity
{
    /// <summary>
    /// With the prompt's vectors in its table, the base reads before the text the ids of those rows: all logits are the same, bit for bit. A prompt that began as a text has
    /// that text's ids and leaves the table as it was.
    /// </summary>
    internal static void AssertReadAsTokens(AdapterGolden.Loaded plain, AdapterGolden.Loaded adapted, FreshMethod method)
    {
        using var noGrad = no_grad();
        AdapterPlacement placement = method.On(adapted.Backbone);
        using Arena arena = placement.BuildArena();
        using var bound = arena.Bind();
        InputSite inputs = InputsOf(adapted.Backbone);
        Tensor vectors = ((PromptAdapter)inputs.Adapter!).Vectors(), ids = Ids(method, plain, inputs); // [places, width], [places]
        foreach (Backbone backbone in (Backbone[])[plain.Backbone, adapted.Backbone]) // both: a head may be tied to the table
            InputsOf(backbone).Table!.Weight.Frozen.index_copy_(0, ids, vectors);

        Tensor mask = Before(ones_like(ids), plain.Case.Read("attention_mask"));
        Tensor expected = Logits(plain, Before(ids, plain.Case.Read("input_ids")), mask), actual = adapted.Logits(adapted.Backbone);
        bool everyPlace = expected.dim() == 3;
        Assert.Equal((everyPlace ? expected[mask.ne(0)] : expected).reshape(-1).Bits(), (everyPlace ? actual[mask.ne(0)] : actual).reshape(-1).Bits());
    }

    /// <summary>With the prefix's keys and values in its cache, the base predicts the same next token of a text, bit for bit, and of the text with the next one.</summary>
    internal static void AssertSeenAsCache(AdapterGolden.Loaded plain, AdapterGolden.Loaded adapted, FreshMethod method)
    {
        using var noGrad = no_grad();
        using Arena arena = method.On(adapted.Backbone).BuildArena();
        using var bound = arena.Bind();
        Tensor keysAndValues = ((PrefixAdapter)InputsOf(adapted.Backbone).Adapter!).KeysAndValues(); // [2 · layers, heads, places, width]
        Tensor ids = Unpadded(plain);
        long rows = ids.size(0), length = ids.size(1), places = keysAndValues.size(2);
        using KeyValueCache filled = new(places + length), empty = new(length);
        for (int layer = 0; layer < keysAndValues.size(0) / 2; layer++)
            filled.Layer(layer, null).Append(Rows(keysAndValues[2 * layer]), Rows(keysAndValues[(2 * layer) + 1]));
        Tensor behind = Before(zeros(places, int64), ids);
        for (long read = length - 1; read <= length; read++)
        {
            Tensor expected = Next(plain, behind.narrow(1, 0, places + read), filled), actual = Next(adapted, ids.narrow(1, 0, read), empty);
            Assert.Equal(expected.reshape(-1).Bits(), actual.reshape(-1).Bits());
        }

        Tensor Rows(Tensor part) => part.unsqueeze(0).expand(rows, -1, -1, -1);
    }

    private static Tensor Next(AdapterGolden.Loaded loaded, Tensor ids, KeyValueCache cache) => ((CausalLM)loaded.Backbone).NextLogits(new DecoderPass(ids, ones_like(ids), isPadded: false, cache));

    private static Tensor Logits(AdapterGolden.Loaded loaded, Tensor ids, Tensor mask) => loaded.Backbone switch
    {
        CausalLM language => language.Logits(new TokenBatch(ids, mask, ids, 0)),
        SequenceClassifier texts => texts.Logits(SequenceGolden.Batch(loaded.Case) with { InputIds = ids, AttentionMask = mask, TokenTypeIds = zeros_like(ids) }),
        _ => throw new InvalidOperationException(loaded.Backbone.GetType().Name),
    };

    private static InputSite InputsOf(Backbone backbone) => backbone.Weights.AllSites.OfType<InputSite>().Single();

    // the text the prompt began as, or ids that no text has
    private static Tensor Ids(FreshMethod method, AdapterGolden.Loaded plain, InputSite inputs)
    {
        if (method.Methods.OfType<PromptTuningMethod>().SingleOrDefault(prompt => prompt.Initialization == PromptInitialization.Text) is { } text)
            return tensor(Enumerable.Range(0, text.VirtualTokens).Select(place => long.Parse(text.InitialIds[place % text.InitialIds.Length], System.Globalization.CultureInfo.InvariantCulture)).ToArray());
        HashSet<long> read = [.. plain.Case.Read("input_ids").data<long>().ToArray(), plain.Backbone.Config.Int("pad_token_id", 0)];
        return tensor(Enumerable.Range(0, (int)inputs.Table!.In).Select(id => (long)id).Where(id => !read.Contains(id)).Take(inputs.Places).ToArray());
    }

    // [places] before each row of [rows, T]
    private static Tensor Before(Tensor first, Tensor rows) => cat([first.unsqueeze(0).expand(rows.size(0), -1), rows], 1);

    // the columns in which no row has padding
    private static Tensor Unpadded(AdapterGolden.Loaded loaded) => loaded.Case.Read("input_ids").narrow(1, 0, loaded.Case.Read("attention_mask").sum(1).min().item<long>());
}
