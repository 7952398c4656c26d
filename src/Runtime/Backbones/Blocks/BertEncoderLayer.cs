using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>One layer of <see cref="BertEncoder"/> (transformers <c>modeling_bert.py</c>, <c>BertLayer</c>): a norm behind each block.</summary>
internal sealed class BertEncoderLayer
{
    private readonly Attention attention;
    private readonly FeedForward feedForward;
    private readonly LayerNorm attentionNorm;
    private readonly LayerNorm feedForwardNorm;
    private readonly Dropout dropout;

    internal BertEncoderLayer(WeightTable weights, string path)
    {
        ModelConfig config = weights.Config;
        long hidden = config.Size("hidden_size"), wide = config.Size("intermediate_size"), heads = config.Size("num_attention_heads");
        if (hidden % heads != 0)
            throw config.Invalid("num_attention_heads", $"a divisor of hidden_size = {hidden}");
        attention = new Attention(
            weights.Group(
                weights.Linear($"{path}.attention.self.query", Sites.Query, hidden, hidden, bias: true),
                weights.Linear($"{path}.attention.self.key", Sites.Key, hidden, hidden, bias: true),
                weights.Linear($"{path}.attention.self.value", Sites.Value, hidden, hidden, bias: true)),
            weights.Linear($"{path}.attention.output.dense", Sites.Output, hidden, hidden, bias: true),
            new AttentionShape(heads, heads, hidden / heads, config.Number("attention_probs_dropout_prob", BertEncoder.DefaultDropout)));
        attentionNorm = BertEncoder.Norm(weights, $"{path}.attention.output.LayerNorm");
        feedForward = new FeedForward(
            weights.Linear($"{path}.intermediate.dense", Sites.Up, hidden, wide, bias: true),
            weights.Linear($"{path}.output.dense", Sites.Down, wide, hidden, bias: true),
            Activations.Of(config, "hidden_act", "gelu"));
        feedForwardNorm = BertEncoder.Norm(weights, $"{path}.output.LayerNorm");
        dropout = BertEncoder.HiddenDropout(config);
    }

    /// <summary>x [rows, T, hidden] to the same.</summary>
    internal Tensor Forward(Tensor x, in AttentionContext context)
    {
        using var scope = NewDisposeScope();
        Tensor attended = attentionNorm.Forward(x, dropout.Forward(attention.Forward(x, context), context.Training));
        Tensor fed = dropout.Forward(feedForward.Forward(attended), context.Training);
        return feedForwardNorm.Forward(attended, fed).MoveToOuterDisposeScope();
    }
}
