using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Backbones.Qwen25VL;

/// <summary>One block of the vision tower (transformers <c>Qwen2_5_VLVisionBlock</c>).</summary>
internal sealed class VisionBlock
{
    private readonly VisionAttention attention;
    private readonly GatedFeedForward feedForward;
    private readonly RmsNorm attentionNorm;
    private readonly RmsNorm feedForwardNorm;

    /// <summary>Declares the block at a path; <paramref name="config"/> is <c>vision_config</c>.</summary>
    internal VisionBlock(WeightTable weights, ModelConfig config, string path)
    {
        long hidden = config.Size("hidden_size"), wide = config.Size("intermediate_size"), heads = config.Size("num_heads");
        attentionNorm = new RmsNorm(weights, $"{path}.norm1", hidden, VisionTower.Epsilon);
        feedForwardNorm = new RmsNorm(weights, $"{path}.norm2", hidden, VisionTower.Epsilon);
        attention = new VisionAttention(
            weights.Linear($"{path}.attn.qkv", Sites.Query | Sites.Key | Sites.Value, hidden, 3 * hidden, bias: true),
            weights.Linear($"{path}.attn.proj", Sites.Output, hidden, hidden, bias: true),
            heads,
            hidden / heads);
        feedForward = new GatedFeedForward(
            weights.Group(
                weights.Linear($"{path}.mlp.gate_proj", Sites.Gate, hidden, wide, bias: true),
                weights.Linear($"{path}.mlp.up_proj", Sites.Up, hidden, wide, bias: true)),
            weights.Linear($"{path}.mlp.down_proj", Sites.Down, wide, hidden, bias: true),
            Activations.Of(config, "hidden_act", "silu"));
    }

    /// <summary>x [patches, hidden] to the same.</summary>
    internal Residual Forward(Residual x, PatchContext context) => x
        .Plus(attentionNorm, normed => attention.Forward(normed, context))
        .Plus(feedForwardNorm, feedForward.Forward);
}
