using System.Collections.Concurrent;
using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// relu(x Wᵀ + b) and the gradient through it as one kernel each, on a GPU in bfloat16: the product's own epilogue cuts off what is below zero and keeps a bit for each number. Before a device's first
/// such product the library is tried on a small one.
/// </summary>
internal static class RectifiedProduct
{
    private const long Packed = 8; // numbers in 16 bytes, as the library reads them
    private const double Rounding = 0.02;

    private static readonly ConcurrentDictionary<int, Lazy<string?>> Reasons = [];

    /// <summary>Whether relu(x Wᵀ + b) of x [..., in] can be had so, and the gradient that <paramref name="after"/>, the layer that reads it, passes back.</summary>
    internal static bool Fits(Tensor x, FrozenLinear layer, FrozenLinear after)
    {
        if (x.dtype != ScalarType.BFloat16 || layer.Format != x.dtype || after.Format != x.dtype || !Kernels.Usable(x) || Reason(x.device) is not null)
            return false;
        long rows = x.numel() / layer.In;
        return Sizes(layer, after).All(size => size % Packed == 0) && Forward(x.device, rows, layer) is not null && Backward(x.device, rows, after) is not null;
    }

    /// <summary>Why a GPU does without: one line; null where nothing is in the way.</summary>
    internal static string? Reason(Device device) => Reasons.GetOrAdd(device.index, _ => new Lazy<string?>(() => Tried(device))).Value;

    /// <summary>relu(x Wᵀ + b), [T, out], of x [T, in], and where it is above 0, for <see cref="Gradient"/>.</summary>
    internal static (Tensor Rectified, Tensor Mask) Product(Tensor x, FrozenLinear layer)
    {
        using var scope = NewDisposeScope();
        Tensor mask = EpilogueProduct.Mask(x.size(0), layer.Out, x.device);
        Tensor rectified = Run(Forward(x.device, x.size(0), layer)!, x, layer.Numbers(x.dtype), layer.Bias, mask);
        return (rectified.MoveToOuterDisposeScope(), mask.MoveToOuterDisposeScope());
    }

    /// <summary>The gradient of the product before it was rectified, [T, wide], from that of what <paramref name="after"/> makes of it, [T, out].</summary>
    internal static Tensor Gradient(Tensor gradient, FrozenLinear after, Tensor mask)
    {
        using var scope = NewDisposeScope();
        return Run(Backward(gradient.device, gradient.size(0), after)!, gradient, after.Numbers(gradient.dtype), null, mask).MoveToOuterDisposeScope();
    }

    private static EpilogueProduct? Forward(Device device, long rows, FrozenLinear layer) =>
        EpilogueProduct.Of(new ProductShape(device.index, rows, layer.In, layer.Out, Transposed: true, layer.Bias is null ? Epilogue.Relu : Epilogue.ReluOfBias));

    private static EpilogueProduct? Backward(Device device, long rows, FrozenLinear after) =>
        EpilogueProduct.Of(new ProductShape(device.index, rows, after.Out, after.In, Transposed: false, Epilogue.ReluGradient));

    private static Tensor Run(EpilogueProduct product, Tensor x, Tensor weight, Tensor? bias, Tensor mask) => product.Run(Aligned(x), Aligned(weight), bias is null ? null : Aligned(bias), mask);

    private static Tensor Aligned(Tensor tensor) => !tensor.is_contiguous() ? tensor.contiguous() : ForeignMemory.Address(tensor) % EpilogueProduct.Alignment == 0 ? tensor : tensor.clone();

    private static long[] Sizes(FrozenLinear layer, FrozenLinear after) => [layer.In, layer.Out, after.Out];

    private static string? Tried(Device device)
    {
        try
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            return DiffersFromComposed(device) ? "cuBLASLt's rectified products differ from composed ones" : null;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or InvalidOperationException)
        {
            return error.Message;
        }
    }

    private static bool DiffersFromComposed(Device device)
    {
        const long Rows = 48, Width = 64, Wide = 192; // no two alike, so that no two can be mistaken for one another
        using FrozenLinear layer = new(Waves(device, 0.7, Wide, Width), Waves(device, 0.3, Wide)), after = new(Waves(device, 0.9, Width, Wide), null);
        Tensor x = Waves(device, 0.5, Rows, Width), gradient = Waves(device, 0.2, Rows, Width);
        if (Forward(device, Rows, layer) is null || Backward(device, Rows, after) is null)
            throw new InvalidOperationException("cuBLASLt has no rectified product");
        (Tensor rectified, Tensor mask) = Product(x, layer);
        Tensor open = rectified.gt(Scalars.Of(0L)).to_type(ScalarType.BFloat16);
        return Differ(layer.Product(x).relu(), rectified) || Differ(after.InputGradient(gradient).mul(open), Gradient(gradient, after, mask));
    }

    private static bool Differ(Tensor expected, Tensor found) => !(found.sub(expected).norm().ToDouble() <= Rounding * expected.norm().ToDouble()); // also where it is no number

    // numbers that look random and cost the generator nothing
    private static Tensor Waves(Device device, double step, params long[] shape) =>
        Scalars.Positions(shape.Aggregate(1L, (all, size) => all * size), device).to_type(ScalarType.Float32).mul(Scalars.Of(step)).sin().view(shape).to_type(ScalarType.BFloat16);
}
