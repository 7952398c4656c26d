using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Operations;

/// <summary>What the operations are held to: the same arithmetic of plain operators in float64, rounded once.</summary>
internal static class Near
{
    /// <summary>Every number is within a rounding of the format of <paramref name="found"/> from the expected one.</summary>
    internal static void Assert(Tensor expected, Tensor found)
    {
        Xunit.Assert.Equal(expected.shape, found.shape);
        using var scope = NewDisposeScope();
        (double relative, double absolute) = found.dtype switch
        {
            ScalarType.BFloat16 => (1.0 / 128, 1e-5),
            ScalarType.Float32 => (2e-5, 2e-6),
            _ => (1e-12, 1e-13),
        };
        Tensor wanted = expected.to_type(ScalarType.Float64), largest = wanted.abs().max();
        Tensor off = found.to_type(ScalarType.Float64).sub(wanted).abs(), allowed = wanted.abs().mul(relative).add(largest.mul(absolute), 1);
        Xunit.Assert.True(off.le(allowed).all().item<bool>(), $"off by {off.sub(allowed).max().item<double>():g3} more than allowed; the largest number is {largest.item<double>():g3}");
    }

    /// <summary>Numbers of a normal distribution, rounded to a format.</summary>
    internal static Tensor Random(ScalarType dtype, Device device, params long[] shape) => randn(shape).to(dtype).to(device);

    /// <summary>The same numbers that do not follow one another in memory.</summary>
    internal static Tensor Scattered(Tensor x)
    {
        Tensor result = cat([x.unsqueeze(-1), x.unsqueeze(-1).neg()], -1).select(-1, 0);
        Xunit.Assert.False(result.is_contiguous() && x.numel() > 1);
        return result;
    }

    /// <summary>A GPU where the kernels run.</summary>
    internal static Device Gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? missing), missing);
        Kernels.Warm(Devices.Cuda());
        Xunit.Assert.Null(Kernels.Reason);
        Tensor x = ones(1, device: Devices.Cuda());
        Xunit.Assert.True(KernelFormat.Fits(x));
        return x.device;
    }
}
