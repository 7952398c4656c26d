using FlatPO.Recipes.Adapters.VirtualTokens;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>Random numbers that trained layers begin with.</summary>
internal static class DenseStart
{
    /// <summary>Weight [out, in] and bias [out] of a layer beside the inputs, as PyTorch's <c>nn.Linear</c> begins: uniform within 1 / √in.</summary>
    internal static (TrainableTensor Weight, TrainableTensor Bias) Layer(InputSite site, string name, long @in, long @out, Generator random)
    {
        double bound = 1 / Math.Sqrt(@in);
        return (VirtualTokenConfig.Tensor(site, $"{name}.weight", Uniform([@out, @in], bound, random)), VirtualTokenConfig.Tensor(site, $"{name}.bias", Uniform([@out], bound, random)));
    }

    /// <summary>Numbers between −<paramref name="bound"/> and <paramref name="bound"/>, all alike, float32.</summary>
    internal static Tensor Uniform(long[] shape, double bound, Generator random) => rand(shape, float32, generator: random).mul(Scalars.Of(2 * bound)).sub(Scalars.Of(bound));
}
