using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Memory;

/// <summary>What is free on the first GPU, asked of the CUDA runtime that libtorch has loaded.</summary>
internal static unsafe class GpuMemory
{
    private static readonly nint Runtime = NativeLibrary.Load(
        File.ReadLines("/proc/self/maps").First(line => line.Contains("libcudart", StringComparison.Ordinal)) is var line ? line[line.IndexOf('/', StringComparison.Ordinal)..] : "");

    /// <summary>Bytes.</summary>
    internal static long Free()
    {
        cuda.synchronize();
        nuint free, total;
        int error = ((delegate* unmanaged<nuint*, nuint*, int>)NativeLibrary.GetExport(Runtime, "cudaMemGetInfo"))(&free, &total);
        return error == 0 ? (long)free : throw new InvalidOperationException($"cudaMemGetInfo: error {error}");
    }

    /// <summary>Makes the context and cuBLAS's handle, which take memory whatever the recipe.</summary>
    internal static void Wake()
    {
        using Tensor some = randn(64, 64, device: CUDA);
        using Tensor product = some.mm(some);
    }
}
