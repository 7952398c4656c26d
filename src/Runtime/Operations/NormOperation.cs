using System.Numerics;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// Root-mean-square norm or layer norm over the last dimension, with a frozen weight and bias in x's format, of x or of x + delta: the sum that goes on beside it is then an output too. Between
/// forward and backward it keeps what was normed, and with kernels two numbers a row.
/// </summary>
internal sealed class NormOperation : Operation
{
    private const string Source = "norm.cu";
    private const int MostThreads = 1024;

    private readonly bool centered;
    private readonly Tensor? weight;
    private readonly Tensor? bias;
    private readonly double epsilon;
    private bool givesSum = true;
    private Tensor normed = null!; // what was
    private Tensor? means;
    private Tensor? scales;

    private NormOperation(bool centered, Tensor? weight, Tensor? bias, double epsilon) => (this.centered, this.weight, this.bias, this.epsilon) = (centered, weight, bias, epsilon);

    /// <summary>x / sqrt(mean(x²) + eps) · weight.</summary>
    internal static Tensor Rms(Tensor x, Tensor weight, double epsilon) => new NormOperation(false, weight, null, epsilon).Run(x, null)[0];

    /// <summary>x + delta, and its <see cref="Rms"/>.</summary>
    internal static (Tensor Sum, Tensor Normed) RmsOfSum(Tensor x, Tensor delta, Tensor weight, double epsilon) => OfSum(new NormOperation(false, weight, null, epsilon), x, delta);

    /// <summary>The layer norm of x + delta, where nothing else reads the sum.</summary>
    internal static Tensor LayerAfterSum(Tensor x, Tensor delta, (Tensor? Weight, Tensor? Bias) affine, double epsilon) =>
        new NormOperation(true, affine.Weight, affine.Bias, epsilon) { givesSum = false }.Added(x, delta)[0];

    /// <summary>x + delta, and its layer norm.</summary>
    internal static (Tensor Sum, Tensor Normed) LayerOfSum(Tensor x, Tensor delta, (Tensor? Weight, Tensor? Bias) affine, double epsilon) =>
        OfSum(new NormOperation(true, affine.Weight, affine.Bias, epsilon), x, delta);

    /// <summary>Whether it computes this: a weight or bias that has a gradient, or another format than x, is for autograd.</summary>
    internal static bool Takes(Tensor x, params ReadOnlySpan<Tensor?> affine)
    {
        foreach (Tensor? tensor in affine)
            if (tensor is not null && (tensor.dtype != x.dtype || (tensor.requires_grad && is_grad_enabled())))
                return false;
        return true;
    }

    /// <inheritdoc/>
    protected override Tensor[] Forward(Tensor?[] inputs)
    {
        Tensor x = inputs[0]!.contiguous();
        Tensor? delta = inputs[1]?.contiguous();
        return KernelFormat.Fits(x) ? Launched(x, delta) : Composed(x, delta);
    }

    /// <inheritdoc/>
    protected override Tensor?[] Backward(Tensor?[] gradients)
    {
        Tensor? ofNormed = gradients[0]?.contiguous(), ofSum = gradients.Length > 1 ? gradients[1]?.contiguous() : null;
        Tensor? result = ofNormed is null ? ofSum?.clone() : scales is null ? Composed(ofNormed, ofSum, normed) : Launched(ofNormed, ofSum, scales);
        return [Asked[0] ? result : null, Asked[1] ? Asked[0] ? result?.alias() : result : null];
    }

    private static (Tensor Sum, Tensor Normed) OfSum(NormOperation operation, Tensor x, Tensor delta)
    {
        Tensor[] outputs = operation.Added(x, delta);
        return (outputs[1], outputs[0]);
    }

    private Tensor[] Added(Tensor x, Tensor delta) => x.shape.AsSpan().SequenceEqual(delta.shape)
        ? Run(x, delta)
        : throw new ArgumentException($"x is [{string.Join(", ", x.shape)}], what is added to it [{string.Join(", ", delta.shape)}]", nameof(delta));

    private Tensor[] Composed(Tensor x, Tensor? delta)
    {
        Tensor sum = Keep(delta is null ? x : x.Plus(delta));
        normed = sum;
        Tensor y = centered ? functional.layer_norm(sum, [sum.size(-1)], weight, bias, epsilon) : Ops.RmsNorm(sum, weight!, epsilon);
        return delta is not null && givesSum ? [y, sum] : [y];
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

    private static Tensor Mean(Tensor x) => x.mean([-1], keepdim: true);

    private Tensor[] Launched(Tensor x, Tensor? delta)
    {
        Tensor y = empty_like(x);
        Tensor? sum = delta is null ? null : empty_like(x);
        normed = Keep(sum ?? x);
        Rows rows = Rows.Of(x, KernelFormat.Pack(x.size(-1), x, delta, weight, bias, y, sum));
        if (WantsGradient)
        {
            scales = Keep(empty([rows.Count], ScalarType.Float32, x.device));
            means = centered ? Keep(empty([rows.Count], ScalarType.Float32, x.device)) : null;
        }
        rows.Launch(Function("forward", x, rows), x, delta, weight, bias, sum, y, means, scales, rows.Count, rows.Length, rows.Threads, (float)epsilon);
        return sum is not null && givesSum ? [y, sum] : [y];
    }

    private Tensor Launched(Tensor ofNormed, Tensor? ofSum, Tensor scales)
    {
        Tensor gradient = empty_like(ofNormed);
        Rows rows = Rows.Of(normed, KernelFormat.Pack(normed.size(-1), ofNormed, ofSum, normed, weight, gradient));
        rows.Launch(Function("backward", normed, rows), ofNormed, ofSum, normed, weight, means, scales, gradient, rows.Count, rows.Length, rows.Threads);
        return gradient;
    }

    private Kernel Function(string way, Tensor x, Rows rows) => Kernel.Of(Source, $"{(centered ? "layer" : "rms")}_{way}_{KernelFormat.NameOf(x.dtype)}_{rows.Pack}");

    /// <summary>How rows are shared out: so many threads to each, one pack each where there are enough. Short rows share a block.</summary>
    private readonly record struct Rows(long Count, int Length, int Threads, int Pack)
    {
        private const int ThreadsOfShortRows = 256;

        internal static Rows Of(Tensor x, int pack)
        {
            int length = (int)x.size(-1), packs = length / pack;
            int threads = packs <= 32 ? (int)BitOperations.RoundUpToPowerOf2((uint)packs) : (int)Math.Min(KernelFormat.Warps(packs), MostThreads);
            return new Rows(x.numel() / length, length, threads, pack);
        }

        internal void Launch(Kernel kernel, params ReadOnlySpan<KernelArgument> arguments)
        {
            int block = Threads <= 32 ? ThreadsOfShortRows : Threads, rows = block / Threads;
            kernel.Launch(((uint)((Count + rows - 1) / rows), 1, 1), (uint)block, 0, arguments);
        }
    }
}
