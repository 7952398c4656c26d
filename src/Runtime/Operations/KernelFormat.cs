using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>How the kernels of this room see numbers: which variant of a function reads them.</summary>
internal static class KernelFormat
{
    private const int Access = 16; // bytes that a thread reads or writes at once

    /// <summary>Whether there are kernels for a tensor's numbers where it lies.</summary>
    internal static bool Fits(Tensor x) => NameOf(x.dtype) is not null && Kernels.Usable(x);

    /// <summary>The name of a format in the sources; null where they have none for it.</summary>
    internal static string? NameOf(ScalarType dtype) => dtype switch
    {
        ScalarType.BFloat16 => "bf16",
        ScalarType.Float32 => "float",
        _ => null,
    };

    /// <summary>How many numbers are read at once in rows of <paramref name="width"/>: as many as 16 bytes hold where every row of every tensor begins at a multiple of them, else one.</summary>
    internal static int Pack(long width, params ReadOnlySpan<Tensor?> tensors)
    {
        int most = 1;
        foreach (Tensor? tensor in tensors)
        {
            if (tensor is null)
                continue;
            most = Access / (int)tensor.element_size();
            if (width % most != 0 || ForeignMemory.Address(tensor) % Access != 0)
                return 1;
        }
        return most;
    }

    /// <summary>The next multiple of a warp, 32 threads.</summary>
    internal static uint Warps(long threads) => (uint)((threads + 31) / 32 * 32);
}
