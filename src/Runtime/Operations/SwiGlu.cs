using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Operations;

/// <summary>The low-rank branches about a gated block and the float32 factors of those that its kernel applies itself; null where there is none.</summary>
/// <param name="Inner">That of gate and up.</param>
/// <param name="Outer">That of the layer which reads the result.</param>
/// <param name="GateB">B at gate, [wide, rank].</param>
/// <param name="UpB">B at up, [wide, rank].</param>
/// <param name="DownA">A at the reading layer, [rank, wide].</param>
internal sealed record GateBranches(LowRankBranch? Inner, LowRankBranch? Outer, Tensor? GateB, Tensor? UpB, Tensor? DownA);

/// <summary>
/// silu(gate) · up with the low-rank branches of both, over gate and up side by side [T, 2 · wide], and its backward with the branch of what reads the result. The kernel never
/// writes the branches' outputs, and sums their gradients on the way; elsewhere it is composed.
/// </summary>
internal sealed class SwiGlu(GateBranches branches)
{
    private const uint Threads = 128, Columns = 128; // of a block, as in tiles.cuh
    private const long LargestRank = 16, Packed = 8, Rows = 16, Runs = 16;

    private readonly LowRankBranch? inner = branches.Inner;
    private readonly LowRankBranch? outer = branches.Outer;
    private bool fused;

    /// <summary>
    /// [T, wide] of the products gate and up, [T, 2 · wide], and what the branches pass between their factors. Whether the branches are added to the products in place is between this and
    /// <see cref="Backward"/>.
    /// </summary>
    internal Tensor Forward(Tensor products, Tensor? hidden)
    {
        using var scope = NewDisposeScope();
        fused = IsForKernel(products);
        if (fused)
            return Launch(products, hidden).MoveToOuterDisposeScope();
        if (inner is not null)
            inner.AddTo(products, hidden!);
        Tensor[] parts = products.chunk(2, 1);
        return functional.silu(parts[0]).mul_(parts[1]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// From the gradient of the result [T, wide], still without that of the branch that reads it, which comes by <paramref name="outerHidden"/>: the gradient of gate and up
    /// [T, 2 · wide], of each inner B and of the outer A, float32. The products are used up.
    /// </summary>
    internal (Tensor OfProducts, Tensor[] OfB, Tensor[] OfA) Backward(Tensor products, Tensor? hidden, Tensor gradient, Tensor? outerHidden)
    {
        using var scope = NewDisposeScope();
        var results = fused ? LaunchBackward(products, hidden, gradient, outerHidden) : Composed(products, hidden, gradient, outerHidden);
        foreach (Tensor result in (Tensor[])[results.OfProducts, .. results.OfB, .. results.OfA])
            result.MoveToOuterDisposeScope();
        return results;
    }

    private (Tensor OfProducts, Tensor[] OfB, Tensor[] OfA) Composed(Tensor products, Tensor? hidden, Tensor gradient, Tensor? outerHidden)
    {
        Tensor[] parts = products.chunk(2, 1), ofA = [];
        Tensor gate = parts[0], up = parts[1], open = functional.silu(gate);
        if (outer is not null)
        {
            outer.AddToInput(gradient, outerHidden!);
            ofA = outer.GradientsOfA(outerHidden!, open.mul(up));
        }
        Tensor sigmoid = gate.sigmoid();
        Tensor slope = sigmoid.mul(gate.mul(sigmoid.neg().add(Scalars.One)).add(Scalars.One)); // d silu / d gate
        Tensor ofProducts = cat([gradient.mul(up).mul_(slope), gradient.mul(open)], 1);
        return (ofProducts, inner is null ? [] : inner.GradientsOfB(ofProducts, hidden!), ofA);
    }

    private bool IsForKernel(Tensor products) =>
        products.dtype == ScalarType.BFloat16 && products.size(1) % (2 * Packed) == 0 && products.is_contiguous() && Ranks().All(rank => rank <= LargestRank) && Kernels.MultiplyMatrices(products);

    private long[] Ranks() => [branches.GateB?.size(1) ?? 0, branches.UpB?.size(1) ?? 0, branches.DownA?.size(0) ?? 0];

    private Kernel Sized(string name) => Kernel.Of("swiglu.cu", $"{name}_{(Ranks().Max() <= 8 ? 8 : 16)}");

    private Tensor Launch(Tensor products, Tensor? hidden)
    {
        (long rows, long wide, long[] ranks) = (products.size(0), products.size(1) / 2, Ranks());
        Tensor result = empty([rows, wide], products.dtype, products.device);
        long run = Run(rows, 2 * Runs);
        Sized("swiglu_forward").Launch(Grid(rows, wide, run), Threads, 0, products, hidden, Stride(hidden), 0, (int)ranks[0], (int)(2 * ranks[0]), (int)ranks[1],
            branches.GateB, branches.UpB, result, rows, wide, (int)run);
        return result;
    }

    private (Tensor OfProducts, Tensor[] OfB, Tensor[] OfA) LaunchBackward(Tensor products, Tensor? hidden, Tensor gradient, Tensor? outerHidden)
    {
        (long rows, long wide, long[] ranks) = (products.size(0), products.size(1) / 2, Ranks());
        long run = Run(rows, Runs);
        (uint X, uint Y, uint Z) grid = Grid(rows, wide, run);
        Tensor partial = empty([grid.Y, Math.Max(1, wide * ranks.Sum())], ScalarType.Float32, products.device);
        Sized("swiglu_backward").Launch(grid, Threads, 0, products, hidden, Stride(hidden), 0, (int)ranks[0], (int)(2 * ranks[0]), (int)ranks[1], branches.GateB, branches.UpB, gradient,
            outerHidden, Stride(outerHidden), (int)ranks[2], branches.DownA, partial, rows, wide, (int)run);
        Tensor[] sums = ranks.Sum() == 0 ? [] : partial.sum(dim: 0).split([.. ranks.Where(rank => rank > 0).Select(rank => rank * wide)]);
        int inners = ranks.Take(2).Count(rank => rank > 0);
        return (products.alias(), [.. sums.Take(inners).Select(sum => sum.view(wide, -1))], [.. sums.Skip(inners).Select(sum => sum.view(-1, wide))]);
    }

    // rows of a block, of which there are at most so many one below the other
    private static long Run(long rows, long runs) => (rows + (runs * Rows) - 1) / (runs * Rows) * Rows;

    private static (uint X, uint Y, uint Z) Grid(long rows, long wide, long run) => ((uint)((wide + Columns - 1) / Columns), (uint)((rows + run - 1) / run), 1);

    private static int Stride(Tensor? hidden) => (int)(hidden?.size(1) ?? 0);
}
