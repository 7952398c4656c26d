using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Clip;

/// <summary>Sees an image as its patches and answers with what the class token knows (transformers <c>modeling_clip.py</c>, <c>CLIPVisionTransformer</c>).</summary>
internal sealed class ClipVisionTower
{
    private const string Path = "vision_model";

    private readonly InputSite inputs;
    private readonly PatchEmbedding embedding;
    private readonly LayerNorm before;
    private readonly ClipEncoder encoder;
    private readonly LayerNorm after;

    internal ClipVisionTower(WeightTable weights, ModelConfig config)
    {
        ClipShape shape = ClipShape.OfVision(config);
        Hidden = shape.Hidden;
        inputs = weights.Inputs($"{Path}.inputs", new InputShape(Hidden, shape.Layers, shape.Heads));
        embedding = Embedding(weights, config, Hidden);
        before = ClipEncoder.Norm(weights, config, $"{Path}.pre_layrnorm", Hidden); // so spelt in every checkpoint
        encoder = new ClipEncoder(weights, config, $"{Path}.encoder", shape, inputs);
        after = ClipEncoder.Norm(weights, config, $"{Path}.post_layernorm", Hidden);
    }

    /// <summary>Width of what it answers.</summary>
    internal long Hidden { get; }

    /// <summary>pixels [images, channels, height, width] to [images, hidden].</summary>
    internal Tensor Forward(Tensor pixels, bool training)
    {
        using var scope = NewDisposeScope();
        Residual x = encoder.Forward(before.Forward(inputs.Behind(embedding.Forward(pixels))), new AttentionContext(training)); // [images, 1 + patches, hidden]
        return x.At(all => all.select(1, 0)).Normed(after).MoveToOuterDisposeScope(); // the norm of a token needs that token alone
    }

    private static PatchEmbedding Embedding(WeightTable weights, ModelConfig config, long hidden)
    {
        long image = config.Size("image_size", 224), patch = config.Size("patch_size", 32);
        PatchShape shape = new(config.Size("num_channels", 3), (image, image), (patch, patch));
        return new PatchEmbedding(
            shape,
            new PatchWeights(
                weights.Declare($"{Path}.embeddings.class_embedding", hidden),
                weights.Declare($"{Path}.embeddings.position_embedding.weight", shape.Count + 1, hidden),
                weights.Declare($"{Path}.embeddings.patch_embedding.weight", shape.Kernel(hidden))),
            weights.Dtype);
    }
}
