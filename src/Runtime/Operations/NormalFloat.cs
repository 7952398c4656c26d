using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>The numbers that codes of four and of eight bits stand for, on one device: what is quantised on it shares these tables, which belong to the caller.</summary>
internal sealed class NormalFloat
{
    /// <summary>
    /// The 16 levels of NF4: quantiles of a normal distribution, with an exact zero, scaled to −1 and 1 (QLoRA, arXiv 2305.14314, §3 and appendix E; bitsandbytes <c>functional.py</c>,
    /// <c>create_normal_map</c>).
    /// </summary>
    internal static readonly IReadOnlyList<float> Levels =
    [
        -1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1f,
    ];

    /// <summary>
    /// The 256 steps that the blocks' scales are rounded to (arXiv 1511.04561, "dynamic tree"; bitsandbytes <c>functional.py</c>, <c>create_dynamic_map</c>): 2ⁱ fractions in
    /// 10^(i − 6) · [0.1, 1] of either sign for i = 0 … 6, and 0 and 1.
    /// </summary>
    internal static readonly IReadOnlyList<float> Steps = [.. Fractions().SelectMany(fraction => (float[])[-fraction, fraction]).Append(0).Append(1).Order()];

    private const int Exponents = 7;

    private readonly Tensor betweenLevels, betweenSteps;

    internal NormalFloat(Device device)
    {
        Pairs = OnDevice([.. from high in Levels from low in Levels from level in (float[])[high, low] select level], ScalarType.Int64);
        StepTable = OnDevice([.. Steps]);
        betweenLevels = OnDevice(Between(Levels));
        betweenSteps = OnDevice(Between(Steps));
        Tables = [Pairs, StepTable, betweenLevels, betweenSteps];

        Tensor OnDevice(float[] numbers, ScalarType format = ScalarType.Float32)
        {
            using var scope = NewDisposeScope();
            return Ops.Reinterpret(tensor(numbers).to(device), format).MoveToOuterDisposeScope();
        }
    }

    /// <summary>All tables.</summary>
    internal IReadOnlyList<Tensor> Tables { get; }

    /// <summary>By byte its two levels, float32, side by side in one int64, which is looked up faster than two numbers: [256].</summary>
    internal Tensor Pairs { get; }

    /// <summary><see cref="Steps"/>: float32 [256].</summary>
    internal Tensor StepTable { get; }

    /// <summary>The levels of packed codes [n], the one in a byte's upper half first: float32 [2 n].</summary>
    internal Tensor LevelsOf(Tensor packed) => Ops.Reinterpret(Pairs.index_select(0, packed.to_type(ScalarType.Int32)), ScalarType.Float32);

    /// <summary>The steps of codes [n]: float32 [n].</summary>
    internal Tensor StepsOf(Tensor codes) => StepTable.index_select(0, codes.to_type(ScalarType.Int32));

    /// <summary>The codes of the nearest levels of x in [−1, 1]: int32.</summary>
    internal Tensor NearestLevels(Tensor x) => Ops.Buckets(x, betweenLevels);

    /// <summary>The codes of the nearest steps of x in [−1, 1]: int32.</summary>
    internal Tensor NearestSteps(Tensor x) => Ops.Buckets(x, betweenSteps);

    private static float[] Between(IReadOnlyList<float> numbers) => [.. numbers.Zip(numbers.Skip(1), (low, high) => (low + high) / 2)];

    private static IEnumerable<float> Fractions()
    {
        for (int i = 0; i < Exponents; i++)
        {
            int count = 1 << i;
            float scale = (float)Math.Pow(10, i - (Exponents - 1)), width = (1f - 0.1f) / count;
            for (int k = 0; k < count; k++)
                yield return scale * ((Edge(k) + Edge(k + 1)) / 2);

            // from the nearer end, as torch.linspace
            float Edge(int k) => k < (count + 1) / 2 ? 0.1f + width * k : 1f - width * (count - k);
        }
    }
}
