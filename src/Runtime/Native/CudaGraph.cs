using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using TorchSharp;

namespace FlatPO.Recipes.Native;

/// <summary>
/// Kernels recorded once and replayed as one launch (libtorch's <c>at::cuda::CUDAGraph</c>). That class has no C interface: its members are called by their C++ names, on memory of ample
/// size.
/// </summary>
internal sealed unsafe class CudaGraph : IDisposable
{
    private const string Class = "_ZN2at4cuda9CUDAGraph";
    private const nuint Room = 8192; // many times the size of the class
    private const nuint Alignment = 64;

    private static readonly string[] Names =
        [$"{Class}C1Eb", $"{Class}13capture_beginESt4pairIyyE21cudaStreamCaptureMode", $"{Class}11capture_endEv", $"{Class}6replayEv", $"{Class}4poolEv", $"{Class}D1Ev"];

    private static readonly Lazy<IntPtr[]> Functions = new(() => [.. Names.Select(name => TorchLibraries.TryFind("torch_cuda", name, out IntPtr address) ? address : IntPtr.Zero)]);

    private readonly CudaGraphPool pool;
    private IntPtr self;
    private bool isOpen;

    private CudaGraph(CudaGraphPool pool)
    {
        this.pool = pool;
        self = (IntPtr)NativeMemory.AlignedAlloc(Room, Alignment);
        NativeMemory.Clear((void*)self, Room);
        ((delegate* unmanaged[Cdecl]<IntPtr, byte, void>)Functions.Value[0])(self, 0);
    }

    /// <summary>Whether this libtorch has them; never throws.</summary>
    internal static bool TryBind([NotNullWhen(false)] out string? reason)
    {
        int missing = Array.IndexOf(Functions.Value, IntPtr.Zero);
        reason = !OperatingSystem.IsLinux() ? "CUDA graphs are bound on Linux alone"
            : missing >= 0 ? $"this libtorch does not export {Names[missing]}"
            : NativeShield.Missing ?? CudaCapture.Missing;
        return reason is null;
    }

    /// <summary>Records this thread's kernels from now on; the memory they use comes from <paramref name="pool"/>. The thread must be on a side stream (<see cref="CudaStreams"/>).</summary>
    internal static CudaGraph Begin(CudaGraphPool pool)
    {
        CudaGraph graph = new(pool);
        ((delegate* unmanaged[Cdecl]<IntPtr, CudaGraphPool.Id, int, void>)Functions.Value[1])(graph.self, pool.Name, CudaCapture.ThreadLocal);
        graph.isOpen = true;
        return graph;
    }

    /// <summary>Ends the recording. Throws where something was asked of the device that cannot be recorded.</summary>
    internal void End()
    {
        if (!TryEnd())
            throw new InvalidOperationException("it asks something of the device that cannot be recorded; libtorch's own words are on standard error");
        pool.Name = ((delegate* unmanaged[Cdecl]<IntPtr, CudaGraphPool.Id>)Functions.Value[4])(self);
    }

    /// <summary>Runs what was recorded, on the stream of this thread.</summary>
    internal void Replay()
    {
        if (!NativeShield.TryCall(Functions.Value[3], self))
            throw new InvalidOperationException("a recorded step could not be launched; libtorch's own words are on standard error");
    }

    /// <summary>Frees the graph; one that is still recording ends first. Its kernels must have run.</summary>
    public void Dispose()
    {
        if (self == IntPtr.Zero)
            return;
        if (isOpen)
            TryEnd();
        NativeShield.TryCall(Functions.Value[5], self);
        NativeMemory.AlignedFree((void*)self);
        self = IntPtr.Zero;
    }

    // A recording that became invalid ends with an exception, before libtorch's allocator has heard of it. What the allocator has to hear is said by ending another one, empty and valid.
    private bool TryEnd()
    {
        isOpen = false;
        if (NativeShield.TryCall(Functions.Value[2], self))
            return true;
        IntPtr stream = CudaStreams.Current(pool.Device);
        if (CudaCapture.TryBegin(stream))
            NativeShield.TryCall(Functions.Value[2], self);
        CudaCapture.Stop(stream);
        return false;
    }
}

/// <summary>The memory that graphs use one after the other: as much as the largest of them needs.</summary>
internal sealed class CudaGraphPool(torch.Device device)
{
    /// <summary>The device's number.</summary>
    internal int Device { get; } = Math.Max(0, device.index);

    /// <summary>As libtorch numbers it; zeros until its first graph was recorded.</summary>
    internal Id Name { get; set; }

    /// <summary>c10::MempoolId_t.</summary>
    internal readonly record struct Id(ulong First, ulong Second);
}
