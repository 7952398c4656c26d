using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>How a trained linear layer beside the inputs begins: as PyTorch's <c>nn.Linear</c>, uniform within 1 / √in.</summary>
internal static class DenseStart
{
    /// <summary>Weight [out, in] and bias [out].</summary>
    internal static (TrainableTensor Weight, TrainableTensor Bias) Layer(InputSite site, string name, long @in, long @out, Generator random)
    {
        Scalar bound = Scalars.Of(1 / Math.Sqrt(@in)), width = Scalars.Of(2 / Math.Sqrt(@in));
        return (
            VirtualTokenConfig.Tensor(site, $"{name}.weight", rand([@out, @in], float32, generator: random).mul(width).sub(bound)),
            VirtualTokenConfig.Tensor(site, $"{name}.bias", rand([@out], float32, generator: random).mul(width).sub(bound)));
    }
}
