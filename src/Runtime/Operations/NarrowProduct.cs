using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// What passes between the factors of low-rank updates, from many rows in bfloat16 to a few columns of factors that are a number and its rest: product, sum of both halves, scale and rounding in one
/// kernel, which reads the rows once.
/// </summary>
internal static class NarrowProduct
{
    private const string Source = "narrow.cu";
    private const int MostMembers = 3;
    private const uint Rows = 32, Threads = 256; // of a block, as in narrow.cu
    private const long Step = 32, Packed = 8, FewestRows = 2048; // with fewer there are not enough blocks for a GPU

    private static readonly long[] Columns = [16, 32, 48]; // that there are kernels for

    /// <summary>s · A x of every member, twice side by side: x [T, in] to [T, 2 · Σ rank]. <paramref name="a"/> is [2 · Σ rank, in]. Null where the kernel does not take them.</summary>
    internal static Tensor? TryAlong(Tensor x, Tensor a, IReadOnlyList<LowRankMember> members)
    {
        if (!Takes(x, members) || !Columns.Contains(a.size(0)) || x.size(1) % Step != 0 || !a.is_contiguous())
            return null;
        Tensor y = empty([x.size(0), a.size(0)], x.dtype, x.device);
        float[] scales = Scales(members);
        Kernel.Of(Source, $"narrow_along_{a.size(0)}").Launch(Grid(x), Threads, 0, x, x.stride(0), y, (int)x.size(0), Rank(members[0]), a, a.stride(0), x.size(1), scales[0], scales[1], scales[2]);
        return y;
    }

    /// <summary>s · Bᵀ g of every member, twice side by side, from the gradient of all outputs [T, out]: [T, 2 · Σ rank]. Null where the kernel does not take them.</summary>
    internal static Tensor? TryAcross(Tensor gradient, IReadOnlyList<LowRankMember> members)
    {
        long columns = members[0].B.size(1);
        if (!Takes(gradient, members) || !Columns.Contains(columns) || members.Any(member => member.B.size(0) % Step != 0 || member.First % Packed != 0 || member.B.stride(0) != members[0].B.stride(0) || member.B.stride(1) != 1))
            return null;
        Tensor y = empty([gradient.size(0), columns * members.Count], gradient.dtype, gradient.device);
        float[] scales = Scales(members);
        LowRankMember[] all = [.. Enumerable.Range(0, MostMembers).Select(i => members[Math.Min(i, members.Count - 1)])];
        Kernel.Of(Source, $"narrow_across_{columns}").Launch(Grid(gradient), Threads, 0, gradient, gradient.stride(0), y, (int)gradient.size(0), Rank(members[0]), members.Count,
            all[0].B, all[0].First, all[0].B.size(0), all[1].B, all[1].First, all[1].B.size(0), all[2].B, all[2].First, all[2].B.size(0), members[0].B.stride(0), scales[0], scales[1], scales[2]);
        return y;
    }

    private static bool Takes(Tensor x, IReadOnlyList<LowRankMember> members) =>
        x.dtype == ScalarType.BFloat16 && x.size(0) >= FewestRows && x.stride(1) == 1 && x.stride(0) % Packed == 0 && members.Count <= MostMembers
        && members.All(member => member.B.dtype == x.dtype && member.B.size(1) == members[0].B.size(1)) && Kernels.MultiplyMatrices(x) && KernelFormat.Pack(x.stride(0), x) == Packed;

    private static (uint X, uint Y, uint Z) Grid(Tensor x) => ((uint)((x.size(0) + Rows - 1) / Rows), 1, 1);

    private static int Rank(LowRankMember member) => (int)(member.B.size(1) / 2);

    private static float[] Scales(IReadOnlyList<LowRankMember> members) => [.. members.Select(member => (float)member.Scale), .. new float[MostMembers - members.Count]];
}
