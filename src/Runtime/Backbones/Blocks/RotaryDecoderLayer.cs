using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>One layer of <see cref="RotaryDecoder"/> (transformers <c>modeling_llama.py</c>, <c>LlamaDecoderLayer</c>).</summary>
internal sealed class RotaryDecoderLayer
{
    private readonly Attention attention;
    private readonly GatedFeedForward feedForward;
    private readonly RmsNorm attentionNorm;
    private readonly RmsNorm feedForwardNorm;

    internal RotaryDecoderLayer(WeightTable weights, string path, AttentionShape shape, RotaryDecoderSettings settings)
    {
        ModelConfig config = settings.Config;
        long hidden = config.Size("hidden_size"), wide = config.Size("intermediate_size");
        long queryWidth = shape.Heads * shape.HeadWidth, keyWidth = shape.KeyValueHeads * shape.HeadWidth;
        double epsilon = config.Number("rms_norm_eps");
        attention = new Attention(
            weights.Group(
                weights.Linear($"{path}.self_attn.q_proj", Sites.Query, hidden, queryWidth, settings.QueryKeyValueBias),
                weights.Linear($"{path}.self_attn.k_proj", Sites.Key, hidden, keyWidth, settings.QueryKeyValueBias),
                weights.Linear($"{path}.self_attn.v_proj", Sites.Value, hidden, keyWidth, settings.QueryKeyValueBias)),
            weights.Linear($"{path}.self_attn.o_proj", Sites.Output, queryWidth, hidden, settings.OutputBias),
            shape)
        {
            QueryNorm = settings.HeadNorms ? new RmsNorm(weights, $"{path}.self_attn.q_norm", shape.HeadWidth, epsilon) : null,
            KeyNorm = settings.HeadNorms ? new RmsNorm(weights, $"{path}.self_attn.k_norm", shape.HeadWidth, epsilon) : null,
        };
        feedForward = new GatedFeedForward(
            weights.Group(
                weights.Linear($"{path}.mlp.gate_proj", Sites.Gate, hidden, wide, settings.FeedForwardBias),
                weights.Linear($"{path}.mlp.up_proj", Sites.Up, hidden, wide, settings.FeedForwardBias)),
            weights.Linear($"{path}.mlp.down_proj", Sites.Down, wide, hidden, settings.FeedForwardBias),
            Activations.Of(config, "hidden_act", "silu"));
        attentionNorm = new RmsNorm(weights, $"{path}.input_layernorm", hidden, epsilon);
        feedForwardNorm = new RmsNorm(weights, $"{path}.post_attention_layernorm", hidden, epsilon);
    }

    /// <summary>x [rows, T, hidden] to the same.</summary>
    internal Residual Forward(Residual x, AttentionContext context) => x
        .Plus(attentionNorm, normed => attention.Forward(normed, context))
        .Plus(feedForwardNorm, feedForward.Forward);
}
