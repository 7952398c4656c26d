using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using TorchSharp;

namespace FlatPO.Recipes.Native;

/// <summary>
/// The stream a thread's kernels go to (libtorch's stable C interface, 2.10 and newer). Kernels on libtorch's default stream cannot be recorded into a graph: a run has a stream at its side,
/// the same one for every run on a device, since libtorch keeps freed memory for the stream it was used on.
/// </summary>
internal static unsafe class CudaStreams
{
    private static readonly string[] Names =
        ["torch_get_cuda_stream_from_pool", "torch_set_current_cuda_stream", "aoti_torch_get_current_cuda_stream", "torch_cuda_stream_synchronize"];

    private static readonly Lazy<IntPtr[]> Functions = new(() => [.. Names.Select(Find)]);
    private static readonly ConcurrentDictionary<int, IntPtr> Beside = [];

    /// <summary>Whether this libtorch has them; never throws.</summary>
    internal static bool TryBind([NotNullWhen(false)] out string? reason)
    {
        int missing = Array.IndexOf(Functions.Value, IntPtr.Zero);
        reason = missing < 0 ? null : $"this libtorch does not export {Names[missing]}";
        return reason is null;
    }

    /// <summary>This thread's kernels go to the device's side stream, behind what it has been given before, until the returned scope is left.</summary>
    internal static Scope OpenSide(torch.Device device)
    {
        int index = Math.Max(0, device.index);
        IntPtr before = Current(index);
        Synchronize(before, index);
        SetCurrent(Beside.GetOrAdd(index, FromPool), index);
        return new Scope(index, before);
    }

    /// <summary>The stream of this thread.</summary>
    internal static IntPtr Current(int device)
    {
        IntPtr stream;
        Require(((delegate* unmanaged[Cdecl]<int, IntPtr*, int>)Functions.Value[2])(device, &stream), 2);
        return stream;
    }

    /// <summary>Waits for what a stream has been given.</summary>
    internal static void Synchronize(IntPtr stream, int device) => Require(((delegate* unmanaged[Cdecl]<IntPtr, int, int>)Functions.Value[3])(stream, device), 3);

    private static void SetCurrent(IntPtr stream, int device) => Require(((delegate* unmanaged[Cdecl]<IntPtr, int, int>)Functions.Value[1])(stream, device), 1);

    private static IntPtr FromPool(int device)
    {
        IntPtr stream;
        Require(((delegate* unmanaged[Cdecl]<byte, int, IntPtr*, int>)Functions.Value[0])(0, device, &stream), 0);
        return stream;
    }

    private static void Require(int code, int function)
    {
        if (code != 0)
            throw new InvalidOperationException($"libtorch's {Names[function]} failed; its own words are on standard error");
    }

    private static IntPtr Find(string name) =>
        TorchLibraries.TryFind("torch_cuda", name, out IntPtr address) || TorchLibraries.TryFind("torch_cpu", name, out address) ? address : IntPtr.Zero;

    /// <summary>An open side stream.</summary>
    internal readonly struct Scope(int device, IntPtr before) : IDisposable
    {
        /// <summary>Waits for the side stream, whose work others may read from now on, and goes back to the stream before it.</summary>
        public void Dispose()
        {
            IntPtr side = Current(device);
            SetCurrent(before, device);
            Synchronize(side, device);
        }
    }
}
