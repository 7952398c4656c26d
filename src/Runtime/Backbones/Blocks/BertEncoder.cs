using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>
/// The encoder of BERT and its kin (transformers <c>modeling_bert.py</c>, <c>BertModel</c>): tokens, learned positions and token types under one norm, then layers in
/// which every token sees every other.
/// </summary>
internal sealed class BertEncoder
{
    /// <summary>BertConfig's and RobertaConfig's own default, for a configuration that does not say.</summary>
    internal const double DefaultDropout = 0.1;

    private const double DefaultEpsilon = 1e-12;
    private const long DefaultTokenTypes = 2;

    private readonly WeightTable weights;
    private readonly InputSite inputs;
    private readonly EmbeddingSite tokens;
    private readonly Embedding positions;
    private readonly Embedding types;
    private readonly LayerNorm norm;
    private readonly Dropout dropout;
    private readonly LayerStack<BertEncoderLayer, AttentionContext> layers;

    /// <summary>Declares the encoder under <paramref name="path"/>, the model's base prefix.</summary>
    internal BertEncoder(WeightTable weights, string path)
    {
        ModelConfig config = weights.Config;
        if (config.Text("position_embedding_type", "absolute") != "absolute")
            throw config.Invalid("position_embedding_type", "absolute");
        if (config.Flag("is_decoder", false))
            throw config.Invalid("is_decoder", "false: a classifier reads the whole text");
        this.weights = weights;
        long hidden = config.Size("hidden_size");
        weights.BasePrefix = $"{path}.";
        weights.Ignore($"{path}.embeddings.position_ids"); // a buffer that old versions saved
        inputs = weights.Inputs("inputs", new InputShape(hidden, config.Size("num_hidden_layers"), config.Size("num_attention_heads")));
        inputs.Table = tokens = weights.Embedding($"{path}.embeddings.word_embeddings", config.Size("vocab_size"), hidden);
        positions = new Embedding(weights, $"{path}.embeddings.position_embeddings", config.Size("max_position_embeddings"), hidden);
        types = new Embedding(weights, $"{path}.embeddings.token_type_embeddings", TokenTypes, hidden);
        norm = Norm(weights, $"{path}.embeddings.LayerNorm");
        dropout = HiddenDropout(config);
        layers = new(weights, config.Size("num_hidden_layers"), i => new BertEncoderLayer(weights, $"{path}.encoder.layer.{i}"), (layer, x, context) => x.Through(sum => layer.Forward(sum, context)));
    }

    /// <summary>How many token types it tells apart.</summary>
    internal long TokenTypes => weights.Config.Int("type_vocab_size", DefaultTokenTypes);

    /// <summary>A layer norm as the configuration wants it.</summary>
    internal static LayerNorm Norm(WeightTable weights, string path) =>
        new(weights.Norm(path, weights.Config.Size("hidden_size")), weights.Config.Number("layer_norm_eps", DefaultEpsilon));

    /// <summary>The dropout behind every block.</summary>
    internal static Dropout HiddenDropout(ModelConfig config) => new(config.Number("hidden_dropout_prob", DefaultDropout));

    /// <summary>The dropout of the head on top: <c>classifier_dropout</c> or, where that is null, the one behind every block.</summary>
    internal static Dropout HeadDropout(ModelConfig config) => config.Has("classifier_dropout") ? new(config.Number("classifier_dropout")) : HiddenDropout(config);

    /// <summary>How many places an adapter takes before every text.</summary>
    internal int PlacesBefore => inputs.Places;

    /// <summary>
    /// Each place's number in its row, from 0: [T]; or [rows, T] where padding may stand between what an adapter put first and the text, since it is no distance (peft counts it).
    /// </summary>
    internal Tensor Numbers(SequenceBatch batch)
    {
        using var scope = NewDisposeScope();
        Tensor numbers = batch.Padded && PlacesBefore > 0
            ? inputs.Mask(batch.AttentionMask).cumsum(1).sub(Scalars.One)
            : Scalars.Positions(PlacesBefore + batch.InputIds.size(1), weights.Device);
        return numbers.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What every token came to, [rows, T, hidden], what stands before the text with them; <paramref name="places"/> are their rows of the position table,
    /// [T] or [rows, T].
    /// </summary>
    internal Tensor States(SequenceBatch batch, Tensor places, bool training)
    {
        using var scope = NewDisposeScope();
        // padding is seen by none, but sees: the softmax of its own row has something to sum over
        Tensor? mask = batch.Padded ? inputs.Mask(batch.AttentionMask).ne(Scalars.Zero).unsqueeze(1).unsqueeze(1) : null; // [rows, 1, 1, T]
        AttentionContext context = new(training, mask);
        Residual x = new(Embed(batch, places, training)); // [rows, T, hidden]
        for (int i = 0; i < layers.Count; i++)
            x = layers.Forward(i, x, context);
        return x.Sum().MoveToOuterDisposeScope();
    }

    private Tensor Embed(SequenceBatch batch, Tensor places, bool training)
    {
        using var scope = NewDisposeScope();
        Tensor kinds = inputs.Places == 0 ? batch.TokenTypeIds : cat([zeros([batch.TokenTypeIds.size(0), inputs.Places], ScalarType.Int64, weights.Device), batch.TokenTypeIds], 1);
        Tensor sum = inputs.Before(tokens.Forward(batch.InputIds)).Plus(types.Forward(kinds)).Plus(positions.Forward(places));
        return dropout.Forward(norm.Forward(sum), training).MoveToOuterDisposeScope();
    }
}
