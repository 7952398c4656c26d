using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>What a thread may ask of CUDA while another thread records a graph.</summary>
internal static unsafe class StreamCapture
{
    private const string Exchange = "cuThreadExchangeStreamCaptureMode";
    private const int OwnThreadAlone = 1; // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL

    /// <summary>
    /// From now on this thread takes pinned memory whatever another thread is recording; otherwise the driver would refuse it and spoil the recording. Does nothing without CUDA's driver.
    /// </summary>
    internal static void IgnoreOtherThreads()
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out IntPtr driver) || !NativeLibrary.TryGetExport(driver, Exchange, out IntPtr function))
            return;
        int mode = OwnThreadAlone;
        ((delegate* unmanaged<int*, int>)function)(&mode);
    }
}
