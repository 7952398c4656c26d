using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>
/// All randomness of a run, derived from its seed and the step: nothing has to be saved to resume, and the second pass of a step draws what the first drew.
/// </summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The step's number, from 0.</param>
public readonly record struct RunSeed(int Seed, long Step)
{
    /// <summary>A number that depends on seed, step and <paramref name="part"/> alone, at least 0.</summary>
    public long Draw(long part) => (long)(Mix(Mix(Mix((ulong)Seed) ^ (ulong)Step) ^ (ulong)part) >> 1);

    /// <summary>Seeds libtorch's default generators for one micro-batch.</summary>
    internal void Sow(int micro, Device device)
    {
        long drawn = Draw(micro);
        manual_seed(drawn).Dispose();
        if (device.type == DeviceType.CUDA)
            cuda.manual_seed_all(drawn);
    }

    /// <summary>The examples of one epoch in random order (Fisher–Yates), the same for the same seed on every platform and .NET version.</summary>
    internal static int[] Shuffle(int count, int seed, int epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        RunSeed draws = new(seed, ~(long)epoch); // negative steps: no step of the run draws the same
        for (int i = count - 1; i > 0; i--)
        {
            int j = (int)((ulong)draws.Draw(i) % (ulong)(i + 1));
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>SplitMix64's output function (Steele, Lea and Flood, 2014).</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
