using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>Layer norm over the last dimension; <paramref name="affine"/> says whether it has a weight and a bias.</summary>
internal sealed class LayerNorm(WeightTable weights, string path, long width, double epsilon, bool affine = true)
{
    private readonly Weight? weight = affine ? weights.Declare($"{path}.weight", width) : null;
    private readonly Weight? bias = affine ? weights.Declare($"{path}.bias", width) : null;

    internal Tensor Forward(Tensor x)
    {
        Tensor? scale = weight?.Value, shift = bias?.Value;
        if (scale is null || scale.dtype == x.dtype)
            return functional.layer_norm(x, [width], scale, shift, epsilon);
        using var scope = NewDisposeScope();
        return functional.layer_norm(x.to_type(scale.dtype), [width], scale, shift, epsilon).to_type(x.dtype).MoveToOuterDisposeScope(); // a norm trained in float32
    }
}
