using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>In what the families that share <see cref="RotaryDecoder"/> differ.</summary>
internal sealed record RotaryDecoderSettings
{
    /// <summary>The decoder's part of config.json: all of it, or <c>text_config</c>.</summary>
    internal required ModelConfig Config { get; init; }

    /// <summary>Where its modules are: <c>model</c>, or <c>model.language_model</c>.</summary>
    internal string Path { get; init; } = "model";

    /// <summary>Whether the head is the embedding; null where the decoder's part of config.json says it (<c>tie_word_embeddings</c>).</summary>
    internal bool? Tied { get; init; }

    /// <summary>Whether the query, key and value projections have biases.</summary>
    internal bool QueryKeyValueBias { get; init; }

    /// <summary>Whether attention's output projection has a bias.</summary>
    internal bool OutputBias { get; init; }

    /// <summary>Whether the feed-forward projections have biases.</summary>
    internal bool FeedForwardBias { get; init; }

    /// <summary>Whether each head of the queries and keys is normed before it is turned.</summary>
    internal bool HeadNorms { get; init; }

    /// <summary>Width of a head where config.json has no <c>head_dim</c>; hidden_size / num_attention_heads unless given.</summary>
    internal long? DefaultHeadWidth { get; init; }

    /// <summary>Whether an adapter may put something before the texts.</summary>
    internal bool TakesInputs { get; init; } = true;

    /// <summary>How far back a windowed layer looks; null where all layers see everything.</summary>
    internal long? Window { get; init; }

    /// <summary>Whether a layer's attention is windowed.</summary>
    internal Func<int, bool> IsWindowed { get; init; } = _ => false;

    /// <summary>
    /// These settings with Qwen's window (transformers <c>configuration_qwen2.py</c>): where <c>use_sliding_window</c> asks for it, on the layers that <c>layer_types</c>
    /// names or, without it, on those from <c>max_window_layers</c> up.
    /// </summary>
    internal RotaryDecoderSettings WithUpperWindow()
    {
        const long DefaultWindow = 4096, DefaultFullLayers = 28;
        IReadOnlyList<string> kinds = Config.TextList("layer_types");
        long fullLayers = Config.Int("max_window_layers", DefaultFullLayers);
        return this with
        {
            Window = Config.Flag("use_sliding_window", false) ? Config.Int("sliding_window", DefaultWindow) : null,
            IsWindowed = layer => layer < kinds.Count ? kinds[layer] == "sliding_attention" : layer >= fullLayers,
        };
    }
}

/// <summary>
/// The decoder of Llama and its kin (transformers <c>modeling_llama.py</c>): RMSNorm before each block, grouped-query attention with rotary positions,
/// gated feed-forward, a head that may be tied to the embedding.
/// </summary>
internal sealed class RotaryDecoder
{
    private readonly WeightTable weights;
    private readonly RotaryDecoderSettings settings;
    private readonly EmbeddingSite embedding;
    private readonly Rotary rotary;
    private readonly LayerStack<RotaryDecoderLayer, AttentionContext> layers;
    private readonly RmsNorm norm;
    private readonly Projection head;

    internal RotaryDecoder(WeightTable weights, RotaryDecoderSettings settings)
    {
        (this.weights, this.settings) = (weights, settings);
        ModelConfig config = settings.Config;
        long hidden = config.Size("hidden_size"), vocabulary = config.Size("vocab_size");
        AttentionShape shape = ShapeOf(settings);
        weights.BasePrefix = "model.";
        weights.Ignore("*.rotary_emb.inv_freq"); // a buffer that old versions saved
        if (settings.TakesInputs)
            Inputs = weights.Inputs("inputs", new InputShape(hidden, config.Size("num_hidden_layers"), shape.Heads, shape.KeyValueHeads, shape.HeadWidth));
        embedding = weights.Embedding($"{settings.Path}.embed_tokens", vocabulary, hidden);
        if (Inputs is not null)
            Inputs.Table = embedding;
        rotary = new Rotary(weights, RopeSettings.Of(config), shape.HeadWidth);
        layers = new(weights, config.Size("num_hidden_layers"), i => new RotaryDecoderLayer(weights, $"{settings.Path}.layers.{i}", shape, settings), (layer, x, context) => layer.Forward(x, context));
        norm = new RmsNorm(weights, $"{settings.Path}.norm", hidden, config.Number("rms_norm_eps"));
        head = settings.Tied ?? config.Flag("tie_word_embeddings", false)
            ? weights.Tied("lm_head", Sites.Head, embedding.Weight)
            : weights.Linear("lm_head", Sites.Head, hidden, vocabulary, bias: false);
    }

    /// <summary>The frequencies of a head.</summary>
    internal Rotary Rotary => rotary;

    /// <summary>Where token vectors enter; null where nothing may stand before them.</summary>
    internal InputSite? Inputs { get; }

    /// <summary>The tokens' vectors: ids [rows, T] to [rows, T, hidden].</summary>
    internal Tensor Embed(Tensor ids) => embedding.Forward(ids);

    /// <summary>The head and what it reads, with the places of a prompt before the texts.</summary>
    internal HeadInput BeforeHead(TokenBatch batch, bool training)
    {
        using var scope = NewDisposeScope();
        CausalView view = CausalView.Of(batch, Inputs);
        return BeforeHead(view, Inputs.Before(Embed(batch.InputIds)), Turns(view, view.Parted), training).Kept();
    }

    /// <summary>The same from vectors x [rows, T, hidden], which it takes over, in place of a batch's ids, and from the turns of their positions.</summary>
    internal HeadInput BeforeHead(CausalView view, Tensor x, RotaryTable turns, bool training)
    {
        using var scope = NewDisposeScope();
        return new HeadInput(Layers(x, window => view.Context(training, turns, window)).Normed(norm), head).Kept();
    }

    /// <summary>Logits of the token behind each text: [rows, vocabulary].</summary>
    internal Tensor NextLogits(DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        CausalView view = CausalView.Of(pass, Inputs);
        Tensor words = Embed(pass.NewIds);
        return NextLogits(pass, pass.First == 0 ? Inputs.Before(words) : words, Turns(view, pass.IsPadded)).MoveToOuterDisposeScope();
    }

    /// <summary>The same from vectors x [rows, T, hidden], which it takes over, in place of the new ids, and from the turns of their positions.</summary>
    internal Tensor NextLogits(DecoderPass pass, Tensor x, RotaryTable turns)
    {
        using var scope = NewDisposeScope();
        CausalView view = CausalView.Of(pass, Inputs);
        Residual last = Layers(x, window => view.Context(training: false, turns, window), pass.Cache).At(all => all.select(1, -1)); // [rows, hidden]
        return head.Forward(last.Normed(norm)).MoveToOuterDisposeScope();
    }

    // The turns of a pass's tokens: by their numbers in their rows, or by their places' alone.
    private RotaryTable Turns(CausalView view, bool rowByRow)
    {
        using var scope = NewDisposeScope();
        RotaryTable turns = rowByRow
            ? rotary.At(view.Positions().unsqueeze(1).unsqueeze(3), view.Length, weights.Dtype) // [rows, 1, T, width]
            : rotary.At(view.First, view.Length, weights.Dtype);
        return turns.MoveToOuterDisposeScope();
    }

    private Residual Layers(Tensor embedded, Func<long?, AttentionContext> contextOf, KeyValueCache? cache = null)
    {
        using var scope = NewDisposeScope();
        Residual x = new(embedded);
        KeysBefore?[] before = KeysBefore.Of(Inputs, cache, layers.Count);
        AttentionContext full = contextOf(null), windowed = settings.Window is null ? full : contextOf(settings.Window);
        for (int i = 0; i < layers.Count; i++)
            x = layers.Forward(i, x, (settings.IsWindowed(i) ? windowed : full).With(before[i]));
        return x.Kept();
    }

    private static AttentionShape ShapeOf(RotaryDecoderSettings settings)
    {
        ModelConfig config = settings.Config;
        long heads = config.Size("num_attention_heads"), keyValueHeads = config.Int("num_key_value_heads", heads);
        if (keyValueHeads < 1 || heads % keyValueHeads != 0)
            throw config.Invalid("num_key_value_heads", $"a divisor of num_attention_heads = {heads}");
        long width = config.Int("head_dim", settings.DefaultHeadWidth ?? config.Size("hidden_size") / heads);
        if (width < 2 || width % 2 != 0)
            throw config.Invalid("head_dim", "an even number: rotary positions turn pairs");
        return new AttentionShape(heads, keyValueHeads, width, config.Number("attention_dropout", 0));
    }
}
