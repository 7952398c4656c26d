using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>The CUDA runtime's own view of a recording (<c>libcudart</c>, which libtorch has loaded).</summary>
internal static unsafe class CudaCapture
{
    /// <summary>cudaStreamCaptureModeThreadLocal: what other threads do meanwhile (copying the next batch) is their own affair.</summary>
    internal const int ThreadLocal = 1;

    private static readonly string[] Libraries = ["libcudart.so.13", "libcudart.so.12"];
    private static readonly string[] Names = ["cudaStreamBeginCapture", "cudaStreamEndCapture", "cudaStreamIsCapturing", "cudaGetLastError"];
    private static readonly Lazy<IntPtr[]> Functions = new(() => [.. Names.Select(Find)]);

    /// <summary>What is missing for it; null where it can be used.</summary>
    internal static string? Missing => Array.IndexOf(Functions.Value, IntPtr.Zero) is >= 0 and var at ? $"no CUDA runtime with {Names[at]} was found (looked for {string.Join(", ", Libraries)})" : null;

    /// <summary>Begins a recording that libtorch knows nothing of.</summary>
    internal static bool TryBegin(IntPtr stream) => ((delegate* unmanaged[Cdecl]<IntPtr, int, int>)Functions.Value[0])(stream, ThreadLocal) == 0;

    /// <summary>Ends whatever recording a stream is in, and forgets the error that it may be.</summary>
    internal static void Stop(IntPtr stream)
    {
        int status;
        IntPtr graph;
        if (((delegate* unmanaged[Cdecl]<IntPtr, int*, int>)Functions.Value[2])(stream, &status) != 0 || status != 0)
            _ = ((delegate* unmanaged[Cdecl]<IntPtr, IntPtr*, int>)Functions.Value[1])(stream, &graph);
        _ = ((delegate* unmanaged[Cdecl]<int>)Functions.Value[3])();
    }

    private static IntPtr Find(string name)
    {
        foreach (string library in Libraries)
            if (NativeLibrary.TryLoad(library, out IntPtr handle) && NativeLibrary.TryGetExport(handle, name, out IntPtr address))
                return address;
        return IntPtr.Zero;
    }
}
