namespace FlatPO.Recipes.Backbones.Clip;

/// <summary>
/// Sizes of CLIP's towers as expressions over config.json. Published files leave keys out that have transformers' default
/// (<c>configuration_clip.py</c>), for which OpenAI's smallest model stood.
/// </summary>
internal static class ClipSizes
{
    internal const string Shared = "(projection_dim ?? 512)";

    internal const string TextHidden = "(text_config.hidden_size ?? 512)";
    internal const string TextWide = "(text_config.intermediate_size ?? 2048)";
    internal const string TextLayers = "text_config.num_hidden_layers ?? 12";
    internal const string Vocabulary = "text_config.vocab_size ?? 49408";
    internal const string TextPositions = "text_config.max_position_embeddings ?? 77";

    // The positions, and logit_scale, which belongs to neither tower.
    internal const string TextWeights = "(" + TextPositions + ") * " + TextHidden + " + 1";

    internal const string VisionHidden = "(vision_config.hidden_size ?? 768)";
    internal const string VisionWide = "(vision_config.intermediate_size ?? 3072)";
    internal const string VisionLayers = "vision_config.num_hidden_layers ?? 12";
    internal const string VisionPositions = PatchesAcross + " * " + PatchesAcross + " + 1";

    // The class token, its positions and the patches' kernel.
    internal const string VisionWeights =
        "(1 + " + VisionPositions + " + (vision_config.num_channels ?? 3) * " + Patch + " * " + Patch + ") * " + VisionHidden;

    // The inputs of two norms, queries, keys, values and the mixture of attention, and two of the feed-forward: quick_gelu is x · σ(1.702 x), and keeps both.
    internal const string TextActivations = "6 * " + TextHidden + " + 2 * " + TextWide;
    internal const string VisionActivations = "6 * " + VisionHidden + " + 2 * " + VisionWide;

    private const string Patch = "(vision_config.patch_size ?? 32)";
    private const string PatchesAcross = "((vision_config.image_size ?? 224) / " + Patch + ")";
}
