using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>
/// Kernels recorded once and replayed as one launch (libtorch's <c>at::cuda::CUDAGraph</c>). That class has no C interface: its members are called by their C++ names, on memory of ample
/// size. Their exceptions would end the process, so they are called through a function of libtorch's that turns exceptions into a code.
/// </summary>
internal sealed unsafe class CudaGraph : IDisposable
{
    private const string Class = "_ZN2at4cuda9CUDAGraph";
    private const nuint Room = 8192; // many times the size of the class
    private const nuint Alignment = 64;

    // cudaStreamCaptureModeThreadLocal: what other threads do meanwhile (copying the next batch) is their own affair.
    private const int ThreadLocal = 1;

    private static readonly string[] Names =
        [$"{Class}C1Eb", $"{Class}13capture_beginESt4pairIyyE21cudaStreamCaptureMode", $"{Class}11capture_endEv", $"{Class}6replayEv", $"{Class}4poolEv", $"{Class}D1Ev"];

    private static readonly Lazy<IntPtr[]> Functions = new(() => [.. Names.Select(name => TorchLibraries.TryFind("torch_cuda", name, out IntPtr address) ? address : IntPtr.Zero)]);
    private static readonly Lazy<IntPtr> Shield = new(() => TorchLibraries.TryFind("torch_cpu", "torch_parallel_for", out IntPtr address) ? address : IntPtr.Zero);

    private IntPtr self;
    private bool isOpen;

    private CudaGraph()
    {
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
            : Shield.Value == IntPtr.Zero ? "this libtorch does not export torch_parallel_for"
            : null;
        return reason is null;
    }

    /// <summary>Records this thread's kernels from now on; the memory they use comes from <paramref name="pool"/>. The thread must be on a side stream (<see cref="CudaStreams"/>).</summary>
    internal static CudaGraph Begin(CudaGraphPool pool)
    {
        CudaGraph graph = new();
        ((delegate* unmanaged[Cdecl]<IntPtr, CudaGraphPool.Id, int, void>)Functions.Value[1])(graph.self, pool.Name, ThreadLocal);
        graph.isOpen = true;
        return graph;
    }

    /// <summary>Ends the recording. Throws where something was asked of the device that cannot be recorded.</summary>
    internal void End(CudaGraphPool pool)
    {
        isOpen = false;
        Call(2, "the kernels cannot be recorded");
        pool.Name = ((delegate* unmanaged[Cdecl]<IntPtr, CudaGraphPool.Id>)Functions.Value[4])(self);
    }

    /// <summary>Runs what was recorded, on the stream of this thread.</summary>
    internal void Replay() => Call(3, "a recorded step could not be launched");

    /// <summary>Frees the graph; one that is still recording ends first. Its kernels must have run.</summary>
    public void Dispose()
    {
        if (self == IntPtr.Zero)
            return;
        if (isOpen)
            Shielded(2);
        Shielded(5);
        NativeMemory.AlignedFree((void*)self);
        self = IntPtr.Zero;
    }

    private void Call(int function, string failure)
    {
        if (Shielded(function) != 0)
            throw new InvalidOperationException($"{failure}; libtorch's own words are on standard error");
    }

    // torch_parallel_for over a range of one calls function(first, last, context) on this thread: the first argument of a member is its object.
    private int Shielded(int function) =>
        ((delegate* unmanaged[Cdecl]<long, long, long, IntPtr, IntPtr, int>)Shield.Value)(self, self + 1, 1, Functions.Value[function], IntPtr.Zero);
}

/// <summary>The memory that graphs use one after the other: as much as the largest of them needs.</summary>
internal sealed class CudaGraphPool
{
    /// <summary>As libtorch numbers it; zeros until its first graph was recorded.</summary>
    internal Id Name { get; set; }

    /// <summary>c10::MempoolId_t.</summary>
    internal readonly record struct Id(ulong First, ulong Second);
}
