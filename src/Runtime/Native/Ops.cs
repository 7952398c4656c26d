using TorchSharp;
using static FlatPO.Recipes.Native.Dispatcher;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>The ATen operators this library needs and TorchSharp lacks or guards badly, one typed method each.</summary>
internal static class Ops
{
    /// <summary>Matrix product; unlike <c>Tensor.matmul</c> a shape error or out-of-memory is an exception.</summary>
    internal static Tensor MatMul(Tensor left, Tensor right) => Call("matmul", "", left, right);

    /// <summary>x Wᵀ + b: [..., in] to [..., out]. On CUDA x is flattened first, so that the product adds the bias on its way.</summary>
    internal static Tensor Linear(Tensor x, Tensor weight, Tensor? bias)
    {
        if (x.device_type != DeviceType.CUDA || bias is null || x.Dimensions == 2)
            return nn.functional.linear(x, weight, bias);
        using var scope = NewDisposeScope();
        return nn.functional.linear(x.reshape(-1, x.size(-1)), weight, bias).view([.. x.shape[..^1], weight.size(0)]).MoveToOuterDisposeScope();
    }

    /// <summary>Product of matrices in float32, whatever their number format: on CUDA half-width numbers are multiplied as they are and summed in float32.</summary>
    internal static Tensor WideProduct(Tensor left, Tensor right)
    {
        if (left.dtype == ScalarType.Float32 && right.dtype == ScalarType.Float32)
            return left.mm(right);
        if (left.device_type == DeviceType.CUDA && left.dtype == right.dtype)
            return Call("mm", "dtype", left, right, (long)ScalarType.Float32);
        using var scope = NewDisposeScope();
        return left.to_type(ScalarType.Float32).mm(right.to_type(ScalarType.Float32)).MoveToOuterDisposeScope();
    }

    /// <summary>x / sqrt(mean(x², last dimension) + eps) · weight.</summary>
    internal static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon) =>
        Call("rms_norm", "", x, weight.shape, Argument.Optional(weight), Argument.Optional(epsilon));

    /// <summary>
    /// dropout(softmax(q kᵀ · scale + mask)) v. Shapes: q [rows, heads, T, d]; k, v [rows, keyValueHeads, S, d], where heads is a multiple of
    /// keyValueHeads; mask broadcasts to [rows, heads, T, S] (true = may attend, or added numbers).
    /// </summary>
    internal static Tensor ScaledDotProductAttention(Tensor q, Tensor k, Tensor v, (Tensor? Mask, bool Causal, double Scale, double Dropout) how) =>
        Call("scaled_dot_product_attention", "", q, k, v, Argument.Optional(how.Mask), how.Dropout, how.Causal, Argument.Optional(how.Scale), q.size(1) != k.size(1));

    /// <summary>GELU; <paramref name="approximate"/> is <c>none</c> or <c>tanh</c>.</summary>
    internal static Tensor Gelu(Tensor x, string approximate) => Call("gelu", "", x, approximate);

    /// <summary>Rows of <paramref name="weight"/> [vocabulary, width] at <paramref name="ids"/>: ids' shape + [width].</summary>
    internal static Tensor Embedding(Tensor weight, Tensor ids) => Call("embedding", "", weight, ids, -1L, false, false);

    /// <summary>How many of the rising <paramref name="bounds"/> are below each number: int32.</summary>
    internal static Tensor Buckets(Tensor x, Tensor bounds) => Call("bucketize", "Tensor", x, bounds, true, false);

    /// <summary>The same bytes as numbers of another format.</summary>
    internal static Tensor Reinterpret(Tensor x, ScalarType format) => Call("view", "dtype", x, (long)format);

    /// <summary>Sums of consecutive segments of a flat tensor; <paramref name="lengths"/> (int64) must sum to its size.</summary>
    internal static Tensor SegmentSum(Tensor flat, Tensor lengths) =>
        Call("segment_reduce", "", flat, "sum", Argument.Optional(lengths), Argument.None, Argument.None, 0L, true, Argument.None);

    /// <summary>
    /// One AdamW step (decoupled weight decay) in place, of tensors in equally long lists; learning rate and step (float32, 0-dim) stay on the device.
    /// </summary>
    internal static void FusedAdamW((Tensor[] Values, Tensor[] Gradients, Tensor[] First, Tensor[] Second) lists, Tensor step, Tensor learningRate, (double Beta1, double Beta2, double WeightDecay, double Epsilon) settings) =>
        Run("_fused_adamw_", "tensor_lr", lists.Values, lists.Gradients, lists.First, lists.Second, Array.Empty<Tensor>(), Enumerable.Repeat(step, lists.Values.Length).ToArray(),
            learningRate, settings.Beta1, settings.Beta2, settings.WeightDecay, settings.Epsilon, false, false, Argument.None, Argument.None);
}
