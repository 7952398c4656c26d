using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters.VirtualTokens;

/// <summary>What is trained beside the inputs.</summary>
internal static class InputTensors
{
    /// <summary>One tensor with these initial numbers; <paramref name="name"/> stands behind the site's.</summary>
    internal static TrainableTensor Of(InputSite site, string name, Tensor initial) => new($"{site.Module}.{name}", Sites.Inputs, TrainableKind.Adapter, initial);

    /// <summary>Weight [out, in] and bias [out] of a layer, as PyTorch's <c>nn.Linear</c> begins: uniform within 1 / √in.</summary>
    internal static (TrainableTensor Weight, TrainableTensor Bias) Layer(InputSite site, string name, long @in, long @out, Generator random)
    {
        double bound = 1 / Math.Sqrt(@in);
        return (Of(site, $"{name}.weight", DenseStart.Uniform([@out, @in], bound, random)), Of(site, $"{name}.bias", DenseStart.Uniform([@out], bound, random)));
    }
}
