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
/// Rotary positions of queries and keys in one go, where they are one projection with the values: pairs (i, i + width / 2) of each head are turned (transformers <c>apply_rotary_pos_emb</c>).
/// The backward turns the other way.
/// </summary>
internal sealed class RotaryOperation : Operation
{
    private const string Source = "rotary.cu";
    private const int MostThreads = 256;

    private readonly FusedHeads heads;
    private Tensor cosines;
    private Tensor sines;

    private RotaryOperation(FusedHeads heads, Tensor cosines, Tensor sines) => (this.heads, this.cosines, this.sines) = (heads, cosines, sines);

    /// <summary>
    /// x [rows, T, heads · width] to the same with queries and keys turned, the values as they are. Cosines and sines are [T, width] or [rows, 1, T, width], in x's format, and the same for both halves of a head.
    /// </summary>
    internal static Tensor Turn(Tensor x, (Tensor Cosines, Tensor Sines) table, FusedHeads heads) => new RotaryOperation(heads, table.Cosines, table.Sines).Run(x)[0];

    /// <inheritdoc/>
    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        (cosines, sines) = (Keep(cosines.contiguous()), Keep(sines.contiguous()));
        return [Turned(inputs[0]!, back: false)];
    }

    /// <inheritdoc/>
    protected override Tensor?[] Backward(Tensor?[] gradients) => [gradients[0] is { } gradient ? Turned(gradient, back: true) : null];

    private Tensor Turned(Tensor x, bool back)
    {
        Tensor whole = x.contiguous();
        return KernelFormat.Fits(whole) && cosines.dtype == x.dtype ? Launched(whole, back) : Composed(whole, back);
    }

    private Tensor Composed(Tensor x, bool back)
    {
        Tensor[] parts = x.view(x.size(0), x.size(1), heads.All, heads.Width).split([heads.Turned, heads.Keys], 2);
        Tensor[] halves = parts[0].split(heads.Width / 2, 3);
        Tensor across = back ? cat([halves[1], halves[0].neg()], 3) : cat([halves[1].neg(), halves[0]], 3);
        Tensor turned = parts[0].mul(OfToken(cosines)).Plus(across.mul(OfToken(sines)));
        return cat([turned, parts[1]], 2).view(x.shape);
    }

    // [T, width] to [T, 1, width]; [rows, 1, T, width] to [rows, T, 1, width]
    private static Tensor OfToken(Tensor table) => table.Dimensions == 2 ? table.unsqueeze(1) : table.transpose(1, 2);

    private Tensor Launched(Tensor x, bool back)
    {
        Tensor y = empty_like(x);
        int pack = KernelFormat.Pack(heads.Width / 2, x, cosines, sines, y);
        uint threads = Math.Min(MostThreads, KernelFormat.Warps(heads.All * heads.Width / 2 / pack));
        Kernel.Of(Source, $"rotary_{KernelFormat.NameOf(x.dtype)}_{pack}").Launch(((uint)(x.size(0) * x.size(1)), 1, 1), threads, 0,
            x, cosines, sines, y, (int)x.size(1), (int)heads.Turned, (int)heads.All, (int)heads.Width, cosines.Dimensions == 2 ? 1 : (int)cosines.size(0), back ? -1f : 1f);
        return y;
    }
}
