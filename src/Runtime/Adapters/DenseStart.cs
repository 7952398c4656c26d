using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>Random numbers that trained layers begin with.</summary>
internal static class DenseStart
{
    /// <summary>Numbers between −<paramref name="bound"/> and <paramref name="bound"/>, all alike, float32.</summary>
    internal static Tensor Uniform(long[] shape, double bound, Generator random) => rand(shape, float32, generator: random).mul(Scalars.Of(2 * bound)).sub(Scalars.Of(bound));
}
