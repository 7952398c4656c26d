using System.Numerics;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// Root-mean-square norm or layer norm over the last dimension, with a frozen weight and bias in x's format, of x or of x + delta: what is normed may go on beside it, as an output too. Between
/// forward and backward it keeps what was normed, and with kernels two numbers a row.
/// </summary>
internal sealed class NormOperation : Operation
{
    private const string Source = "norm.cu";

    private readonly bool centered;
    private readonly Tensor? weight;
    private readonly Tensor? bias;
    private readonly double epsilon;
    private bool givesSum;
    private Tensor normed = null!; // what was
    private Tensor? means;
    private Tensor? scales;

    private NormOperation(bool centered, Tensor? weight, Tensor? bias, double epsilon) => (this.centered, this.weight, this.bias, this.epsilon) = (centered, weight, bias, epsilon);

    /// <summary>x / sqrt(mean(x²) + eps) · weight.</summary>
    internal static NormOperation Rms(Tensor weight, double epsilon) => new(false, weight, null, epsilon);

    /// <summary>(x − mean(x)) / sqrt(mean((x − mean(x))²) + eps) · weight + bias.</summary>
    internal static NormOperation Layer(Tensor? weight, Tensor? bias, double epsilon) => new(true, weight, bias, epsilon);

    /// <summary>Whether it computes this: a weight or bias that has a gradient, or another format than x, is for autograd.</summary>
    internal static bool Takes(Tensor x, params ReadOnlySpan<Tensor?> affine)
    {
        foreach (Tensor? tensor in affine)
            if (tensor is not null && (tensor.dtype != x.dtype || (tensor.requires_grad && is_grad_enabled())))
                return false;
        return true;
    }

    /// <summary>The norm of x + delta, where nothing else reads the sum.</summary>
    internal Tensor Of(Tensor x, Tensor? delta = null) => Added(x, delta)[0];

    /// <summary>x + delta, and its norm. Without a delta the sum is x, in a tensor of its own over the same memory: what comes back to it is added on the way too.</summary>
    internal (Tensor Sum, Tensor Normed) OfSum(Tensor x, Tensor? delta)
    {
        givesSum = true;
        Tensor[] outputs = Added(x, delta);
        return (outputs[1], outputs[0]);
    }

    /// <inheritdoc/>
    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        Tensor x = inputs[0]!.contiguous();
        Tensor? delta = inputs[1]?.contiguous();
        return (KernelFormat.Fits(x) ? Launched(x, delta) : null) ?? Composed(x, delta);
    }

    /// <inheritdoc/>
    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor? ofNormed = gradients[0]?.contiguous(), ofSum = gradients.Length > 1 ? gradients[1]?.contiguous() : null;
        Tensor? result = ofNormed is null ? ofSum?.clone() : (scales is null ? null : Launched(ofNormed, ofSum, scales)) ?? Composed(ofNormed, ofSum, normed);
        return [Asked[0] ? result : null, Asked[1] ? Asked[0] ? result?.alias() : result : null];
    }

    private Tensor[] Added(Tensor x, Tensor? delta) => delta is null || x.shape.AsSpan().SequenceEqual(delta.shape)
        ? Run(x, delta)
        : throw new ArgumentException($"x is [{string.Join(", ", x.shape)}], what is added to it [{string.Join(", ", delta.shape)}]", nameof(delta));

    private Tensor[] Composed(Tensor x, Tensor? delta)
    {
        Tensor? sum = delta is null ? null : x.Plus(delta);
        normed = Keep(sum ?? x);
        Tensor y = centered ? functional.layer_norm(normed, [normed.size(-1)], weight, bias, epsilon) : Ops.RmsNorm(normed, weight!, epsilon);
        return Outputs(y, x, sum);
    }

    private Tensor Composed(Tensor ofNormed, Tensor? ofSum, Tensor x)
    {
        ScalarType wide = x.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        Tensor h = x.to_type(wide), g = ofNormed.to_type(wide);
        if (weight is not null)
            g = g.mul(weight);
        if (centered)
            h = h.sub(Mean(h));
        Tensor scale = Mean(h.Squared()).add(Scalars.Of(epsilon)).rsqrt();
        h = h.mul(scale);
        Tensor along = h.mul(Mean(g.mul(h)));
        Tensor gradient = (centered ? g.sub(Mean(g)) : g).sub(along).mul(scale);
        return (ofSum is null ? gradient : gradient.Plus(ofSum)).to_type(x.dtype);
    }

    private Tensor[] Outputs(Tensor y, Tensor x, Tensor? sum) => givesSum ? [y, sum ?? x.detach()] : [y];

    private static Tensor Mean(Tensor x) => x.mean([-1], keepdim: true);

    // null where rows are too long for the kernel
    private Tensor[]? Launched(Tensor x, Tensor? delta)
    {
        if (Rows.Of(x, KernelFormat.Pack(x.size(-1), x, delta, weight, bias)) is not { } rows)
            return null;
        Tensor y = empty_like(x);
        Tensor? sum = delta is null ? null : empty_like(x);
        normed = Keep(sum ?? x);
        if (WantsGradient)
        {
            scales = Keep(empty([rows.Count], ScalarType.Float32, x.device));
            means = centered ? Keep(empty([rows.Count], ScalarType.Float32, x.device)) : null;
        }
        rows.Launch(Function("forward", x, rows), x, delta, weight, bias, sum, y, means, scales, rows.Count, rows.Length, rows.Threads, (float)epsilon);
        return Outputs(y, x, sum);
    }

    private Tensor? Launched(Tensor ofNormed, Tensor? ofSum, Tensor scales)
    {
        if (Rows.Of(normed, KernelFormat.Pack(normed.size(-1), ofNormed, ofSum, normed, weight)) is not { } rows)
            return null;
        Tensor gradient = empty_like(ofNormed);
        rows.Launch(Function("backward", normed, rows), ofNormed, ofSum, normed, weight, means, scales, gradient, rows.Count, rows.Length, rows.Threads);
        return gradient;
    }

    private Kernel Function(string way, Tensor x, Rows rows) => Kernel.Of(Source, $"{(centered ? "layer" : "rms")}_{way}_{KernelFormat.NameOf(x.dtype)}_{rows.Pack}_{rows.Held}");

    /// <summary>How rows are shared out: so many threads to each, which hold so many packs of it at most. Short rows share a block.</summary>
    private readonly record struct Rows(long Count, int Length, int Threads, int Pack, int Held)
    {
        private const int MostThreads = 512, MostHeld = 4, ThreadsOfShortRows = 256; // the first two as in norm.cu

        /// <summary>Null for rows that are longer than a block's threads can hold.</summary>
        internal static Rows? Of(Tensor x, int pack)
        {
            int length = (int)x.size(-1), packs = length / pack, held = pack > 1 && packs <= MostThreads ? 1 : MostHeld, shares = (packs + held - 1) / held;
            int threads = packs <= 32 ? (int)BitOperations.RoundUpToPowerOf2((uint)packs) : (int)KernelFormat.Warps(shares);
            return threads > MostThreads ? null : new Rows(x.numel() / length, length, threads, pack, held);
        }

        internal void Launch(Kernel kernel, params ReadOnlySpan<KernelArgument> arguments)
        {
            int block = Threads <= 32 ? ThreadsOfShortRows : Threads, rows = block / Threads;
            kernel.Launch(((uint)((Count + rows - 1) / rows), 1, 1), (uint)block, 0, arguments);
        }
    }
}
