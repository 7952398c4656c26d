using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>Where libtorch's default generator of a device stands: what it draws next depends on that alone.</summary>
internal static unsafe partial class GeneratorState
{
    /// <summary>As bytes on the CPU. Reading waits for nothing.</summary>
    internal static Tensor Read(Device device) =>
        device.type == DeviceType.CUDA ? Tensor.UnsafeCreateTensor(THSGenerator_get_rng_state(Of(device))) : get_rng_state();

    /// <summary>Whether both draw the same.</summary>
    internal static bool Same(Tensor one, Tensor other) => one.bytes.SequenceEqual(other.bytes);

    /// <summary>Sets it back to <paramref name="state"/> until the returned scope is left, which puts it where it is now.</summary>
    internal static Scope Rewind(Device device, Tensor state)
    {
        Scope scope = new(device, Read(device));
        Write(device, state);
        return scope;
    }

    private static void Write(Device device, Tensor state)
    {
        if (device.type == DeviceType.CUDA)
            THSGenerator_set_rng_state(Of(device), state.Handle);
        else
            set_rng_state(state);
    }

    private static IntPtr Of(Device device) => TorchLibraries.TryFind("torch_cuda", "_ZN2at4cuda6detail23getDefaultCUDAGeneratorEa", out IntPtr get)
        ? ((delegate* unmanaged[Cdecl]<sbyte, IntPtr>)get)((sbyte)Math.Max(0, device.index))
        : throw new RecipeException("FPO4904", $"the generator of {device} cannot be read: this libtorch does not export it; train without Checkpointing");

    [LibraryImport("LibTorchSharp")]
    private static partial IntPtr THSGenerator_get_rng_state(IntPtr generator);

    [LibraryImport("LibTorchSharp")]
    private static partial void THSGenerator_set_rng_state(IntPtr generator, IntPtr state);

    /// <summary>A generator that was set back.</summary>
    internal readonly struct Scope(Device device, Tensor former) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            Write(device, former);
            former.Dispose();
        }
    }
}
