using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Vit;

/// <summary>Cuts an image into patches, one vector each, behind a class token (transformers <c>modeling_vit.py</c>, <c>ViTEmbeddings</c>).</summary>
internal sealed class PatchEmbedding
{
    private readonly ScalarType dtype;
    private readonly long channels;
    private readonly (long Height, long Width) image;
    private readonly (long Height, long Width) patch;
    private readonly Weight classToken;
    private readonly Weight positions;
    private readonly Weight kernel;
    private readonly Weight bias;
    private readonly Dropout dropout;

    internal PatchEmbedding(WeightTable weights)
    {
        ModelConfig config = weights.Config;
        dtype = weights.Dtype;
        long hidden = config.Size("hidden_size");
        channels = config.Int("num_channels", 3);
        (image, patch) = (config.Extent("image_size"), config.Extent("patch_size"));
        long patches = image.Height / patch.Height * (image.Width / patch.Width);
        classToken = weights.Declare("vit.embeddings.cls_token", 1, 1, hidden);
        positions = weights.Declare("vit.embeddings.position_embeddings", 1, patches + 1, hidden);
        kernel = weights.Declare("vit.embeddings.patch_embeddings.projection.weight", hidden, channels, patch.Height, patch.Width);
        bias = weights.Declare("vit.embeddings.patch_embeddings.projection.bias", hidden);
        dropout = new Dropout(config.Number("hidden_dropout_prob", 0));
    }

    /// <summary>pixels [rows, channels, height, width] to [rows, 1 + patches, hidden].</summary>
    internal Tensor Forward(Tensor pixels, bool training)
    {
        if (pixels.shape is not [long rows, long depth, long height, long width] || (depth, height, width) != (channels, image.Height, image.Width))
            throw new RecipeException("FPO3012", $"pixel values are [{string.Join(", ", pixels.shape)}]; the backbone takes [rows, {channels}, {image.Height}, {image.Width}]");
        using var scope = NewDisposeScope();
        Tensor grid = functional.conv2d(pixels.to_type(dtype), kernel.Value.to_type(dtype), bias.Value.to_type(dtype), [patch.Height, patch.Width]); // [rows, hidden, down, across]
        Tensor patches = grid.flatten(2).transpose(1, 2); // [rows, patches, hidden]
        Tensor x = cat([classToken.Value.to_type(dtype).expand(rows, -1, -1), patches], 1).Plus(positions.Value.to_type(dtype));
        return dropout.Forward(x, training).MoveToOuterDisposeScope();
    }
}
