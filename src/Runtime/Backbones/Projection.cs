using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Backbones;

/// <summary>A frozen linear layer y = x Wᵀ + b with W [out, in]: a place an adapter may sit.</summary>
public sealed class Projection(string module, Sites role, Weight weight, Weight? bias)
{
    /// <summary>Module path as transformers 5 spells it.</summary>
    public string Module { get; } = module;

    /// <summary>Its path in the checkpoint, which is how transformers 4 spelled the module.</summary>
    public string Published => Weight.Name[..Weight.Name.LastIndexOf('.')];

    /// <summary>The role it plays.</summary>
    public Sites Role { get; } = role;

    /// <summary>W, [out, in].</summary>
    public Weight Weight { get; } = weight;

    /// <summary>b, [out], where the layer has one.</summary>
    public Weight? Bias { get; } = bias;

    /// <summary>W and, where the layer has one, b.</summary>
    internal IEnumerable<Weight> Weights => Bias is null ? [Weight] : [Weight, Bias];

    /// <summary>Width of the input.</summary>
    public long In => Weight.Shape[1];

    /// <summary>Width of the output.</summary>
    public long Out => Weight.Shape[0];

    /// <summary>The adapter that sits here, if any.</summary>
    public AdapterLayer? Adapter { get; set; }

    /// <summary>x [..., in] to [..., out], through the adapter where there is one.</summary>
    public Tensor Forward(Tensor x) => Adapter is null ? Base(x) : Adapter.Forward(x, this);

    /// <summary>The layer without its adapter, in x's number format.</summary>
    public Tensor Base(Tensor x)
    {
        Tensor weight = Weight.Value;
        if (weight.dtype == x.dtype && (Bias?.Trainable is null || Bias.Value.dtype == x.dtype))
            return functional.linear(x, weight, Bias?.Value);
        using var scope = NewDisposeScope();
        // a head trained whole is float32 on a bfloat16 backbone: it is the input that changes, so the perturbation of the weight survives
        return functional.linear(x.to_type(weight.dtype), weight, Bias?.Value.to_type(weight.dtype)).to_type(x.dtype).MoveToOuterDisposeScope();
    }
}
