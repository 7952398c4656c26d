using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// softmax(q kᵀ · scale) v of short rows, full or causal, in bfloat16 on a GPU. It reads queries, keys and values where the projection has left them, side by side or apart, and writes their gradients
/// in the same way, so that none is copied; between the two it keeps them, the result and a number for each query's row. No mask, no dropout.
/// </summary>
internal sealed class ShortAttention : Operation
{
    private const string Source = "attention.cu";
    private const long HeadWidth = 64, Tile = 64, LanesOfHead = 8; // as in attention.cu
    private const uint Threads = 128, ThreadsOfShares = 256;
    private const long Longest = 256; // beyond it libtorch's own kernels are faster

    private readonly FusedHeads heads;
    private readonly float scale;
    private readonly bool causal;
    private Tensor[] inputs = [];
    private Tensor result = null!;
    private Tensor spread = null!; // [rows, heads, T]

    private ShortAttention(FusedHeads heads, double scale, bool causal) => (this.heads, this.scale, this.causal) = (heads, (float)scale, causal);

    /// <summary>Whether it takes rows like those of x [rows, T, ...].</summary>
    internal static bool Fits(Tensor x, FusedHeads heads) =>
        x.dtype == ScalarType.BFloat16 && heads.Width == HeadWidth && heads.Queries % heads.Keys == 0 && x.size(1) <= Longest && Kernels.MultiplyMatrices(x);

    /// <summary>
    /// The mixture of values that each query sees, [rows, T, queries · 64], from all heads side by side in one tensor, or from queries, keys and values apart: [rows, T, heads · 64] each.
    /// </summary>
    internal static Tensor Of(Tensor[] inputs, FusedHeads heads, double scale, bool causal) => new ShortAttention(heads, scale, causal).Run(inputs)[0];

    /// <inheritdoc/>
    protected override Tensor[] Forward(Tensor?[] given)
    {
        inputs = [.. given.Select(input => Keep(input!.contiguous()))];
        (long rows, int length) = (inputs[0].size(0), (int)inputs[0].size(1));
        Tensor[] parts = Parts(inputs);
        Tensor mixed = empty([rows, length, heads.Queries * HeadWidth], parts[0].dtype, parts[0].device);
        (result, spread) = (Keep(mixed), Keep(empty([rows, heads.Queries, length], ScalarType.Float32, parts[0].device)));
        Kernel.Of(Source, "attention_forward").Launch((Tiles(length), (uint)heads.Queries, (uint)rows), Threads, 0,
            parts[0], parts[1], parts[2], mixed, spread, parts[0].stride(1), parts[1].stride(1), length, Group, scale * Log2OfE, causal ? 1 : 0);
        return [mixed];
    }

    /// <inheritdoc/>
    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor gradient = gradients[0]!.contiguous();
        (long rows, int length) = (result.size(0), (int)result.size(1));
        Tensor[] ofInputs = [.. inputs.Select(input => empty_like(input))], parts = Parts(inputs), of = Parts(ofInputs);
        Tensor shares = empty_like(spread);
        long tokens = rows * length;
        Kernel.Of(Source, "attention_shares").Launch(((uint)((tokens * heads.Queries * LanesOfHead + ThreadsOfShares - 1) / ThreadsOfShares), 1, 1), ThreadsOfShares, 0,
            gradient, result, shares, tokens, length, (int)heads.Queries);
        Kernel.Of(Source, "attention_backward").Launch((2 * Tiles(length), (uint)heads.Queries, (uint)rows), Threads, 0,
            parts[0], parts[1], parts[2], gradient, spread, shares, of[0], of[1], of[2], parts[0].stride(1), parts[1].stride(1), of[0].stride(1), of[1].stride(1), length, Group,
            scale, scale * Log2OfE, causal ? 1 : 0);
        return [.. ofInputs.Zip(Asked, (made, asked) => asked ? made : null)];
    }

    private static float Log2OfE => (float)Math.Log2(Math.E);

    private int Group => (int)(heads.Queries / heads.Keys);

    private static uint Tiles(int length) => (uint)((length + Tile - 1) / Tile);

    // queries, keys and values of one tensor or of three
    private Tensor[] Parts(Tensor[] tensors) => tensors.Length > 1 ? tensors : tensors[0].split([heads.Queries * HeadWidth, heads.Keys * HeadWidth, heads.Keys * HeadWidth], 2);
}
