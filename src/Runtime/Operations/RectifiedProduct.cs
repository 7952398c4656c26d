using System.Collections.Concurrent;
using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// relu(x Wᵀ + b) as one kernel on a GPU in bfloat16: the product's own epilogue (<see cref="CublasLt"/>) cuts off what is below zero and keeps a bit for each number, which the gradient's kernel reads.
/// Before a device's first such product the library is tried on a small one.
/// </summary>
internal static class RectifiedProduct
{
    private const long Packed = 8; // numbers in 16 bytes, as they are read
    private const uint Threads = 256;
    private const long LargestGrid = 8192;
    private const double Rounding = 0.02;

    private static readonly ConcurrentDictionary<int, Lazy<string?>> Reasons = [];

    /// <summary>Whether relu(x Wᵀ + b) of x [..., in] can be had so.</summary>
    internal static bool Fits(Tensor x, FrozenLinear layer) =>
        x.device_type == DeviceType.CUDA && x.dtype == ScalarType.BFloat16 && layer.Format == x.dtype && layer.In % Packed == 0 && layer.Out % Packed == 0 && Kernels.Usable(x) && Reason(x.device) is null
        && Forward(x.device, x.numel() / layer.In, layer) is not null;

    /// <summary>Why a GPU does without: one line; null where nothing is in the way.</summary>
    internal static string? Reason(Device device) => Reasons.GetOrAdd(device.index, _ => new Lazy<string?>(() => Tried(device))).Value;

    /// <summary>relu(x Wᵀ + b), [T, out], of x [T, in], and where it is above 0, for <see cref="Close"/>.</summary>
    internal static (Tensor Rectified, Tensor Mask) Product(Tensor x, FrozenLinear layer)
    {
        using var scope = NewDisposeScope();
        Tensor mask = EpilogueProduct.Mask(x.size(0), layer.Out, x.device);
        Tensor rectified = Forward(x.device, x.size(0), layer)!.Run(Aligned(x), Aligned(layer.Numbers(x.dtype)), layer.Bias is null ? null : Aligned(layer.Bias), mask);
        return (rectified.MoveToOuterDisposeScope(), mask.MoveToOuterDisposeScope());
    }

    /// <summary>Makes a gradient of what was rectified, [T, out], contiguous, that of the numbers before, in place.</summary>
    internal static void Close(Tensor gradient, Tensor mask)
    {
        long blocks = Math.Clamp(gradient.numel() / Packed / Threads, 1, LargestGrid);
        Kernel.Of("relu.cu", "close_rectified").Launch(((uint)blocks, 1, 1), Threads, 0, gradient, mask, gradient.size(0), gradient.size(1), mask.size(1));
    }

    private static EpilogueProduct? Forward(Device device, long rows, FrozenLinear layer) =>
        EpilogueProduct.Of(new ProductShape(device.index, rows, layer.In, layer.Out, layer.Bias is null ? Epilogue.Relu : Epilogue.ReluOfBias));

    private static Tensor Aligned(Tensor tensor) => !tensor.is_contiguous() ? tensor.contiguous() : ForeignMemory.Address(tensor) % EpilogueProduct.Alignment == 0 ? tensor : tensor.clone();

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
        const long Rows = 48, Width = 64, Wide = 200; // no two alike, so that no two can be mistaken for one another, and a row of the mask longer than one of numbers
        using FrozenLinear layer = new(Waves(device, 0.7, Wide, Width), Waves(device, 0.3, Wide));
        if (Forward(device, Rows, layer) is null)
            throw new InvalidOperationException("cuBLASLt has no rectified product");
        Tensor x = Waves(device, 0.5, Rows, Width), gradient = Waves(device, 0.2, Rows, Wide);
        (Tensor rectified, Tensor mask) = Product(x, layer);
        Tensor expected = gradient.mul(rectified.gt(Scalars.Of(0L)));
        Close(gradient, mask);
        return Differ(layer.Product(x).relu(), rectified) || Differ(expected, gradient);
    }

    private static bool Differ(Tensor expected, Tensor found) => !(found.sub(expected).norm().ToDouble() <= Rounding * expected.norm().ToDouble()); // also where it is no number

    // numbers that look random and cost the generator nothing
    private static Tensor Waves(Device device, double step, params long[] shape) =>
        Scalars.Positions(shape.Aggregate(1L, (all, size) => all * size), device).to_type(ScalarType.Float32).mul(Scalars.Of(step)).sin().view(shape).to_type(ScalarType.BFloat16);
}
