using System.Runtime.InteropServices;
using TorchSharp;

namespace FlatPO.Recipes.Native;

/// <summary>How far a GPU's default generator is. TorchSharp does not show it.</summary>
internal static unsafe partial class CudaRandom
{
    private const string Getter = "_ZN2at4cuda6detail23getDefaultCUDAGeneratorEa";

    /// <summary>How much was drawn since the generator was seeded; null where libtorch does not say. Nothing waits for the device.</summary>
    internal static long? Drawn(torch.Device device)
    {
        if (device.type != DeviceType.CUDA || !TorchLibraries.TryFind("torch_cuda", Getter, out IntPtr getter))
            return null;
        IntPtr generator = ((delegate* unmanaged[Cdecl]<sbyte, IntPtr>)getter)((sbyte)Math.Max(0, device.index));
        using torch.Tensor state = torch.Tensor.UnsafeCreateTensor(THSGenerator_get_rng_state(generator)); // on the CPU: the seed, then the offset
        return state.numel() == 2 * sizeof(long) ? BitConverter.ToInt64(state.bytes[sizeof(long)..]) : null;
    }

    [LibraryImport("LibTorchSharp")]
    private static partial IntPtr THSGenerator_get_rng_state(IntPtr generator);
}
