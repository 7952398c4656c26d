using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Adapters.Bottleneck;

/// <summary>The bottleneck behind one layer: h + s · (U f(D h + b_D) + b_U) for the layer's output h.</summary>
public sealed class BottleneckBlock : AdapterLayer
{
    private readonly BottleneckMethod method;

    internal BottleneckBlock(Func<string, Tensor, TrainableTensor> trained, (Tensor D, Tensor U) initial, BottleneckMethod method)
    {
        this.method = method;
        (DownWeight, DownBias) = (trained("bottleneck_down.weight", initial.D), trained("bottleneck_down.bias", zeros(initial.D.size(0))));
        (UpWeight, UpBias) = (trained("bottleneck_up.weight", initial.U), trained("bottleneck_up.bias", zeros(initial.U.size(0))));
        Tensors = [DownWeight, DownBias, UpWeight, UpBias];
        DownWeight.WaitsFor = DownBias.WaitsFor = UpWeight; // which begins at zero
    }

    /// <summary>D, float32 [size, out].</summary>
    public TrainableTensor DownWeight { get; }

    /// <summary>b_D, float32 [size].</summary>
    public TrainableTensor DownBias { get; }

    /// <summary>U, float32 [out, size].</summary>
    public TrainableTensor UpWeight { get; }

    /// <summary>b_U, float32 [out].</summary>
    public TrainableTensor UpBias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, Projection site)
    {
        using var scope = NewDisposeScope();
        Tensor output = site.Base(x); // h, [..., out]
        Tensor narrow = Activated(functional.linear(output.to_type(ScalarType.Float32), DownWeight.Live, DownBias.Live)); // [..., size]
        Tensor added = functional.linear(narrow, UpWeight.Live, UpBias.Live).mul(Scalars.Of(method.Scale)); // [..., out]
        return output.Plus(added.to_type(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>Throws FPO1044: no weight does what the block does.</summary>
    public override Tensor MergedWeight(Projection site) =>
        throw new RecipeException("FPO1044", $"{site.Module} carries a bottleneck, and what that adds is no linear function of the layer's input, so that no weight can hold it; save the adapter instead");

    private Tensor Activated(Tensor x) => method.Activation switch
    {
        BottleneckActivation.Relu => functional.relu(x),
        BottleneckActivation.Gelu => Ops.Gelu(x, "none"),
        _ => functional.silu(x),
    };
}
