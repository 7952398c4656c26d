using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Trainables;

/// <summary>An arena of a few small tensors with given gradients, for what needs no backbone.</summary>
internal static class SmallArena
{
    private static readonly Sites[] Roles = [Sites.Query, Sites.Value];

    /// <summary>One tensor a length, alternately at query and value, random values and gradients.</summary>
    internal static Arena Of(IReadOnlyList<int> lengths, int seed, TrainableKind kind = TrainableKind.Adapter, Func<int, double>? factor = null)
    {
        using Generator random = new((ulong)seed, CPU);
        Arena arena = new([.. lengths.Select((length, i) => new TrainableTensor($"t{i}", Roles[i % 2], kind, randn([length], float32, generator: random)) { LearningRateFactor = factor?.Invoke(i) ?? 1 })], CPU);
        using var scope = NewDisposeScope();
        arena.Gradient.copy_(randn([arena.Count], float32, generator: random));
        return arena;
    }

    internal static float[] Numbers(this Tensor tensor) => tensor.detach().cpu().contiguous().data<float>().ToArray();

    internal static double ToSingleValue(this Tensor scalar) => scalar.Numbers()[0];

    /// <summary>The bits, so that a comparison is exact and NaN equals itself.</summary>
    internal static int[] Bits(this Tensor tensor) => [.. tensor.Numbers().Select(BitConverter.SingleToInt32Bits)];
}
