using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>The part of NVIDIA's driver that loads and launches programs, on the primary context that libtorch works in.</summary>
internal static unsafe partial class KernelDriver
{
    internal const string Library = "cuda";

    // CUdevice_attribute and CUfunction_attribute of cuda.h
    private const int Major = 75, Minor = 76, LargestSharedMemory = 97, DynamicSharedMemory = 8;

    /// <summary>What a device number of libtorch stands for.</summary>
    internal static (int Device, IntPtr Context) Open(int index)
    {
        Check(cuInit(0), nameof(cuInit));
        Check(cuDeviceGet(out int device, index), nameof(cuDeviceGet));
        Check(cuDevicePrimaryCtxRetain(out IntPtr context, device), nameof(cuDevicePrimaryCtxRetain)); // held until the process ends
        return (device, context);
    }

    /// <summary>For example sm_90.</summary>
    internal static string Architecture(int device) => $"sm_{Attribute(device, Major)}{Attribute(device, Minor)}";

    /// <summary>Bytes of shared memory that one block can ask for.</summary>
    internal static int SharedMemory(int device) => Attribute(device, LargestSharedMemory);

    /// <summary>Loads a cubin into the current context.</summary>
    internal static IntPtr Load(byte[] cubin)
    {
        fixed (byte* image = cubin)
        {
            Check(cuModuleLoadData(out IntPtr module, image), nameof(cuModuleLoadData));
            return module;
        }
    }

    /// <summary>A function of a module.</summary>
    internal static IntPtr Function(IntPtr module, string name)
    {
        Check(cuModuleGetFunction(out IntPtr function, module, name), $"{nameof(cuModuleGetFunction)}({name})");
        return function;
    }

    /// <summary>Lets a function ask for more shared memory than every device has.</summary>
    internal static void Allow(IntPtr function, uint sharedBytes) => Check(cuFuncSetAttribute(function, DynamicSharedMemory, (int)sharedBytes), nameof(cuFuncSetAttribute));

    /// <summary>Makes a context current on this thread until disposed: torch has a thread's device in its current context, so it is put back.</summary>
    internal static Current Enter(IntPtr context)
    {
        Check(cuCtxGetCurrent(out IntPtr before), nameof(cuCtxGetCurrent));
        if (before != context)
            Check(cuCtxSetCurrent(context), nameof(cuCtxSetCurrent));
        return new Current(before, context);
    }

    /// <summary>Launches on libtorch's current stream of a device; nothing is waited for.</summary>
    internal static void Launch(IntPtr function, int device, (uint X, uint Y, uint Z) grid, uint block, uint sharedBytes, void** arguments)
    {
        if (aoti_torch_get_current_cuda_stream(device, out IntPtr stream) != 0)
            throw new InvalidOperationException("libtorch gave no CUDA stream; its own words are on standard error");
        Check(cuLaunchKernel(function, grid.X, grid.Y, grid.Z, block, 1, 1, sharedBytes, stream, arguments, null), nameof(cuLaunchKernel));
    }

    private static int Attribute(int device, int attribute)
    {
        Check(cuDeviceGetAttribute(out int value, attribute, device), nameof(cuDeviceGetAttribute));
        return value;
    }

    private static void Check(int result, string function)
    {
        if (result == 0)
            return;
        string? name = cuGetErrorName(result, out IntPtr text) == 0 ? Marshal.PtrToStringUTF8(text) : null;
        throw new InvalidOperationException($"{function} returned {name ?? "error"} ({result})");
    }

    /// <summary>The time that a context is current for.</summary>
    internal readonly ref struct Current(IntPtr before, IntPtr now)
    {
        public void Dispose()
        {
            if (before != now && before != IntPtr.Zero)
                _ = cuCtxSetCurrent(before);
        }
    }

    [LibraryImport(Library)]
    private static partial int cuInit(uint flags);

    [LibraryImport(Library)]
    private static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    private static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library)]
    private static partial int cuDevicePrimaryCtxRetain(out IntPtr context, int device);

    [LibraryImport(Library)]
    private static partial int cuCtxGetCurrent(out IntPtr context);

    [LibraryImport(Library)]
    private static partial int cuCtxSetCurrent(IntPtr context);

    [LibraryImport(Library)]
    private static partial int cuModuleLoadData(out IntPtr module, byte* image);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int cuModuleGetFunction(out IntPtr function, IntPtr module, string name);

    [LibraryImport(Library)]
    private static partial int cuFuncSetAttribute(IntPtr function, int attribute, int value);

    [LibraryImport(Library)]
    private static partial int cuLaunchKernel(IntPtr function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, IntPtr stream, void** arguments, void** extra);

    [LibraryImport(Library)]
    private static partial int cuGetErrorName(int error, out IntPtr text);

    [LibraryImport("torch_cuda")]
    private static partial int aoti_torch_get_current_cuda_stream(int device, out IntPtr stream);
}
