using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Backbones.Clip;

/// <summary>One layer of either tower (transformers <c>modeling_clip.py</c>, <c>CLIPEncoderLayer</c>).</summary>
internal sealed class ClipLayer
{
    private readonly Attention attention;
    private readonly FeedForward feedForward;
    private readonly LayerNorm attentionNorm;
    private readonly LayerNorm feedForwardNorm;

    internal ClipLayer(WeightTable weights, ModelConfig config, string path, ClipShape shape)
    {
        (long hidden, long wide, long heads, _) = shape;
        Projection key = weights.Linear($"{path}.self_attn.k_proj", Sites.Key, hidden, hidden, bias: true); // in the order transformers lists them
        Projection value = weights.Linear($"{path}.self_attn.v_proj", Sites.Value, hidden, hidden, bias: true);
        Projection query = weights.Linear($"{path}.self_attn.q_proj", Sites.Query, hidden, hidden, bias: true);
        Projection output = weights.Linear($"{path}.self_attn.out_proj", Sites.Output, hidden, hidden, bias: true);
        attention = new Attention(weights.Group(query, key, value), output, new AttentionShape(heads, heads, hidden / heads, config.Number("attention_dropout", 0)));
        attentionNorm = ClipEncoder.Norm(weights, config, $"{path}.layer_norm1", hidden);
        feedForward = new FeedForward(
            weights.Linear($"{path}.mlp.fc1", Sites.Up, hidden, wide, bias: true),
            weights.Linear($"{path}.mlp.fc2", Sites.Down, wide, hidden, bias: true),
            Activations.Of(config, "hidden_act", "quick_gelu"));
        feedForwardNorm = ClipEncoder.Norm(weights, config, $"{path}.layer_norm2", hidden);
    }

    /// <summary>x [rows, T, hidden] to the same.</summary>
    internal Residual Forward(Residual x, AttentionContext context) => x
        .Plus(attentionNorm, normed => attention.Forward(normed, context))
        .Plus(feedForwardNorm, feedForward.Forward);
}
