using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>The heads that lie behind one another in a fused projection: queries, keys, values.</summary>
/// <param name="Queries">Heads of queries.</param>
/// <param name="Keys">Heads of keys, and of values.</param>
/// <param name="Width">Width of one head.</param>
internal readonly record struct FusedHeads(long Queries, long Keys, long Width)
{
    /// <summary>Heads that rotary positions turn.</summary>
    internal long Turned => Queries + Keys;

    /// <summary>All heads.</summary>
    internal long All => Queries + 2 * Keys;
}

/// <summary>
/// Takes queries, keys and values apart that are one projection, and gives queries and keys their rotary positions: pairs (i, i + width / 2) of each head are turned (transformers
/// <c>apply_rotary_pos_emb</c>). The backward turns the other way, and lays the three gradients side by side.
/// </summary>
internal sealed class RotaryOperation : Operation
{
    private const string Source = "rotary.cu";
    private const int MostThreads = 256;

    private readonly FusedHeads heads;
    private Tensor cosines;
    private Tensor sines;
    private long[] shape = null!;

    private RotaryOperation(FusedHeads heads, Tensor cosines, Tensor sines) => (this.heads, this.cosines, this.sines) = (heads, cosines, sines);

    /// <summary>
    /// x [rows, T, heads · width] to queries, keys and values [rows, T, heads · width of each]. Cosines and sines are [T, width] or [rows, 1, T, width], in x's format, and the same for both halves of a head.
    /// </summary>
    internal static Tensor[] Turn(Tensor x, (Tensor Cosines, Tensor Sines) table, FusedHeads heads) => new RotaryOperation(heads, table.Cosines, table.Sines).Run(x);

    /// <inheritdoc/>
    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        (cosines, sines) = (Keep(cosines.contiguous()), Keep(sines.contiguous()));
        Tensor x = inputs[0]!.contiguous();
        shape = x.shape;
        if (!IsForKernel(x))
        {
            Tensor[] all = Heads(x).split([heads.Turned, heads.Keys], 2);
            return [.. Turned(all[0], back: false).split([heads.Queries, heads.Keys], 2).Append(all[1]).Select(part => part.flatten(2, 3).clone())];
        }
        Tensor[] parts = [.. Widths.Select(width => empty([shape[0], shape[1], width], x.dtype, x.device))];
        Launch(x, parts, back: false);
        return parts;
    }

    /// <inheritdoc/>
    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        if (gradients.All(gradient => gradient is null))
            return [null];
        Tensor[] parts = [.. gradients.Select((gradient, i) => gradient?.contiguous() ?? zeros([shape[0], shape[1], Widths[i]], cosines.dtype, cosines.device))];
        if (!IsForKernel(parts[0]))
            return [cat([Turned(Heads(cat(parts[..2], 2)), back: true).flatten(2, 3), parts[2]], 2)];
        Tensor result = empty(shape, parts[0].dtype, parts[0].device);
        Launch(result, parts, back: true);
        return [result];
    }

    private long[] Widths => [heads.Queries * heads.Width, heads.Keys * heads.Width, heads.Keys * heads.Width];

    private bool IsForKernel(Tensor x) => KernelFormat.Fits(x) && cosines.dtype == x.dtype;

    // [rows, T, heads · width] to [rows, T, heads, width]
    private Tensor Heads(Tensor x) => x.view(x.size(0), x.size(1), -1, heads.Width);

    // heads side by side, to the same
    private Tensor Turned(Tensor x, bool back)
    {
        Tensor[] halves = x.split(heads.Width / 2, 3);
        Tensor across = back ? cat([halves[1], halves[0].neg()], 3) : cat([halves[1].neg(), halves[0]], 3);
        return x.mul(OfToken(cosines)).Plus(across.mul(OfToken(sines)));
    }

    // [T, width] to [T, 1, width]; [rows, 1, T, width] to [rows, T, 1, width]
    private static Tensor OfToken(Tensor table) => table.Dimensions == 2 ? table.unsqueeze(1) : table.transpose(1, 2);

    private void Launch(Tensor fused, Tensor[] parts, bool back)
    {
        int pack = KernelFormat.Pack(heads.Width / 2, [fused, cosines, sines, .. parts]);
        uint threads = Math.Min(MostThreads, KernelFormat.Warps(heads.All * heads.Width / 2 / pack));
        Kernel.Of(Source, $"rotary_{KernelFormat.NameOf(fused.dtype)}_{pack}").Launch(((uint)(shape[0] * shape[1]), 1, 1), threads, 0,
            fused, cosines, sines, parts[0], parts[1], parts[2], (int)shape[1], (int)heads.Queries, (int)heads.Keys, (int)heads.Width, cosines.Dimensions == 2 ? 1 : (int)cosines.size(0), back ? 1 : 0);
    }
}
