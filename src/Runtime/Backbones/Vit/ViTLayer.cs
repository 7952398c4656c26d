using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Backbones.Vit;

/// <summary>One layer of the vision transformer (transformers <c>modeling_vit.py</c>, <c>ViTLayer</c>).</summary>
internal sealed class ViTLayer
{
    private readonly Attention attention;
    private readonly FeedForward feedForward;
    private readonly LayerNorm attentionNorm;
    private readonly LayerNorm feedForwardNorm;
    private readonly Dropout dropout;

    internal ViTLayer(WeightTable weights, int layer)
    {
        ModelConfig config = weights.Config;
        string module = $"vit.layers.{layer}", published = $"vit.encoder.layer.{layer}";
        long hidden = config.Size("hidden_size"), wide = config.Size("intermediate_size"), heads = config.Size("num_attention_heads");
        if (hidden % heads != 0)
            throw config.Invalid("num_attention_heads", $"a divisor of hidden_size = {hidden}");
        bool bias = config.Flag("qkv_bias", true);
        attention = new Attention(
            weights.Group(
                weights.Linear($"{module}.attention.q_proj", Sites.Query, hidden, hidden, bias, $"{published}.attention.attention.query"),
                weights.Linear($"{module}.attention.k_proj", Sites.Key, hidden, hidden, bias, $"{published}.attention.attention.key"),
                weights.Linear($"{module}.attention.v_proj", Sites.Value, hidden, hidden, bias, $"{published}.attention.attention.value")),
            weights.Linear($"{module}.attention.o_proj", Sites.Output, hidden, hidden, bias: true, $"{published}.attention.output.dense"),
            new AttentionShape(heads, heads, hidden / heads, config.Number("attention_probs_dropout_prob", 0)));
        feedForward = new FeedForward(
            weights.Linear($"{module}.mlp.fc1", Sites.Up, hidden, wide, bias: true, $"{published}.intermediate.dense"),
            weights.Linear($"{module}.mlp.fc2", Sites.Down, wide, hidden, bias: true, $"{published}.output.dense"),
            Activations.Of(config, "hidden_act", "gelu"));
        attentionNorm = Norm("layernorm_before");
        feedForwardNorm = Norm("layernorm_after");
        dropout = new Dropout(config.Number("hidden_dropout_prob", 0));

        LayerNorm Norm(string name) => new(weights.Norm($"{module}.{name}", hidden, published: $"{published}.{name}"), config.Number("layer_norm_eps"));
    }

    /// <summary>x [rows, 1 + patches, hidden] to the same.</summary>
    internal Residual Forward(Residual x, AttentionContext context) => x
        .Plus(attentionNorm, normed => dropout.Forward(attention.Forward(normed, context), context.Training))
        .Plus(feedForwardNorm, normed => dropout.Forward(feedForward.Forward(normed), context.Training));
}
