using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Clip;

/// <summary>Sizes of one of CLIP's towers.</summary>
internal sealed record ClipShape(long Hidden, long Wide, long Heads, long Layers)
{
    /// <summary>The sizes <c>text_config</c> gives, those it leaves out at transformers' defaults.</summary>
    internal static ClipShape OfText(ModelConfig config) => Of(config, new ClipShape(512, 2048, 8, 12));

    /// <summary>The sizes <c>vision_config</c> gives, those it leaves out at transformers' defaults.</summary>
    internal static ClipShape OfVision(ModelConfig config) => Of(config, new ClipShape(768, 3072, 12, 12));

    private static ClipShape Of(ModelConfig config, ClipShape fallback)
    {
        ClipShape shape = new(
            config.Size("hidden_size", fallback.Hidden), config.Size("intermediate_size", fallback.Wide),
            config.Size("num_attention_heads", fallback.Heads), config.Size("num_hidden_layers", fallback.Layers));
        return shape.Hidden % shape.Heads == 0 ? shape : throw config.Invalid("num_attention_heads", $"a divisor of hidden_size = {shape.Hidden}");
    }
}

/// <summary>The layers of one of CLIP's towers (transformers <c>modeling_clip.py</c>, <c>CLIPEncoder</c>).</summary>
internal sealed class ClipEncoder
{
    // CLIPTextConfig's and CLIPVisionConfig's default.
    private const double DefaultEpsilon = 1e-5;

    private readonly LayerStack<ClipLayer, AttentionContext> layers;
    private readonly InputSite? inputs;

    internal ClipEncoder(WeightTable weights, ModelConfig config, string path, ClipShape shape, InputSite? inputs = null)
    {
        this.inputs = inputs;
        layers = new(weights, shape.Layers, i => new ClipLayer(weights, config, $"{path}.layers.{i}", shape), (layer, x, context) => layer.Forward(x, context));
    }

    /// <summary>A layer norm as the tower's configuration wants it.</summary>
    internal static LayerNorm Norm(WeightTable weights, ModelConfig config, string path, long hidden) =>
        new(weights.Norm(path, hidden), config.Number("layer_norm_eps", DefaultEpsilon));

    /// <summary>embedded [rows, T, hidden], which is taken over, to the same.</summary>
    internal Residual Forward(Tensor embedded, in AttentionContext context)
    {
        Residual x = new(embedded);
        for (int i = 0; i < layers.Count; i++)
            x = layers.Forward(i, inputs?.Renewed(x, i) ?? x, context);
        return x;
    }
}
