using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>The images a vision transformer takes and the patches it cuts them into.</summary>
internal readonly record struct PatchShape(long Channels, (long Height, long Width) Image, (long Height, long Width) Patch)
{
    /// <summary>Patches of one image.</summary>
    internal long Count => Image.Height / Patch.Height * (Image.Width / Patch.Width);

    /// <summary>Sizes of the kernel that makes a vector of <paramref name="hidden"/> numbers of a patch.</summary>
    internal long[] Kernel(long hidden) => [hidden, Channels, Patch.Height, Patch.Width];
}

/// <summary>The weights of a patch embedding, under the names and in the shapes its family gives them.</summary>
/// <param name="ClassToken">hidden numbers.</param>
/// <param name="Positions">(1 + patches) · hidden numbers.</param>
/// <param name="Kernel"><see cref="PatchShape.Kernel"/>.</param>
/// <param name="Bias">[hidden], where there is one.</param>
internal sealed record PatchWeights(Weight ClassToken, Weight Positions, Weight Kernel, Weight? Bias = null);

/// <summary>
/// Cuts an image into patches, one vector each, behind a class token (transformers <c>modeling_vit.py</c>, <c>ViTEmbeddings</c>; <c>modeling_clip.py</c>,
/// <c>CLIPVisionEmbeddings</c>).
/// </summary>
internal sealed class PatchEmbedding(PatchShape shape, PatchWeights weights, ScalarType dtype)
{
    /// <summary>pixels [rows, channels, height, width] to [rows, 1 + patches, hidden]; FPO3012 for images of another size.</summary>
    internal Tensor Forward(Tensor pixels)
    {
        if (pixels.shape is not [long rows, long depth, long height, long width] || (depth, height, width) != (shape.Channels, shape.Image.Height, shape.Image.Width))
            throw new RecipeException("FPO3012", $"pixel values are [{string.Join(", ", pixels.shape)}]; the backbone takes [rows, {shape.Channels}, {shape.Image.Height}, {shape.Image.Width}]");
        using var scope = NewDisposeScope();
        Tensor kernel = weights.Kernel.Value.to_type(dtype);
        Tensor grid = functional.conv2d(pixels.to_type(dtype), kernel, weights.Bias?.Value.to_type(dtype), [shape.Patch.Height, shape.Patch.Width]); // [rows, hidden, down, across]
        Tensor patches = grid.flatten(2).transpose(1, 2); // [rows, patches, hidden]
        Tensor first = weights.ClassToken.Value.to_type(dtype).view(1, 1, -1).expand(rows, -1, -1);
        return cat([first, patches], 1).Plus(weights.Positions.Value.to_type(dtype)).MoveToOuterDisposeScope();
    }
}
