using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Opt;

/// <summary>One layer of OPT (transformers <c>modeling_opt.py</c>, <c>OPTDecoderLayer</c>).</summary>
internal sealed class OptLayer
{
    private const double Epsilon = 1e-5;

    // OPTConfig's own default, for a configuration that does not say.
    private const double DefaultDropout = 0.1;

    private readonly Attention attention;
    private readonly FeedForward feedForward;
    private readonly LayerNorm attentionNorm;
    private readonly LayerNorm feedForwardNorm;
    private readonly Dropout dropout;
    private readonly bool normFirst;

    internal OptLayer(WeightTable weights, string path)
    {
        ModelConfig config = weights.Config;
        long hidden = config.Size("hidden_size"), wide = config.Size("ffn_dim"), heads = config.Size("num_attention_heads");
        if (hidden % heads != 0)
            throw config.Invalid("num_attention_heads", $"a divisor of hidden_size = {hidden}");
        bool bias = config.Flag("enable_bias", true);
        Projection key = weights.Linear($"{path}.self_attn.k_proj", Sites.Key, hidden, hidden, bias); // in the order transformers lists them
        Projection value = weights.Linear($"{path}.self_attn.v_proj", Sites.Value, hidden, hidden, bias);
        Projection query = weights.Linear($"{path}.self_attn.q_proj", Sites.Query, hidden, hidden, bias);
        Projection output = weights.Linear($"{path}.self_attn.out_proj", Sites.Output, hidden, hidden, bias);
        attention = new Attention(weights.Group(query, key, value), output, new AttentionShape(heads, heads, hidden / heads, config.Number("attention_dropout", 0)));
        attentionNorm = Norm(weights, $"{path}.self_attn_layer_norm");
        feedForward = new FeedForward(
            weights.Linear($"{path}.fc1", Sites.Up, hidden, wide, bias),
            weights.Linear($"{path}.fc2", Sites.Down, wide, hidden, bias),
            Activations.Of(config, "activation_function", "relu"));
        feedForwardNorm = Norm(weights, $"{path}.final_layer_norm");
        dropout = new Dropout(config.Number("dropout", DefaultDropout));
        normFirst = config.Flag("do_layer_norm_before", true);
    }

    /// <summary>A layer norm as the configuration wants it.</summary>
    internal static LayerNorm Norm(WeightTable weights, string path) =>
        new(
            weights.Norm(path, weights.Config.Size("hidden_size"), weights.Config.Flag("layer_norm_elementwise_affine", true) ? NormParts.WeightAndBias : NormParts.None),
            Epsilon);

    /// <summary>x [rows, T, hidden] to the same.</summary>
    internal Residual Forward(Residual x, AttentionContext context) => normFirst
        ? x.Plus(attentionNorm, normed => Attended(normed, context)).Plus(feedForwardNorm, normed => Fed(normed, context))
        : x.Through(sum => NormLast(sum, context));

    private Tensor NormLast(Tensor x, in AttentionContext context)
    {
        using var scope = NewDisposeScope();
        Tensor attended = attentionNorm.Forward(x, Attended(x, context));
        return feedForwardNorm.Forward(attended, Fed(attended, context)).MoveToOuterDisposeScope();
    }

    private Tensor Attended(Tensor x, in AttentionContext context) => dropout.Forward(attention.Forward(x, context), context.Training);

    private Tensor Fed(Tensor x, in AttentionContext context) => dropout.Forward(feedForward.Forward(x), context.Training);
}
