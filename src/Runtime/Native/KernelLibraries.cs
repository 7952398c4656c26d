using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>Finds NVIDIA's compiler and driver: by the system's loader, beside libtorch, or in the packages that a pip-installed PyTorch came with.</summary>
internal static class KernelLibraries
{
    private static readonly string[] CompilerNames = OperatingSystem.IsWindows()
        ? ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"]
        : ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];

    private static readonly string[] DriverNames = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so.1", "libcuda.so"];

    /// <summary>The library's handle, or zero where it is nowhere.</summary>
    internal static IntPtr Find(string name)
    {
        string[] names = name == Nvrtc.Library ? CompilerNames : DriverNames;
        foreach (string candidate in names)
            if (NativeLibrary.TryLoad(candidate, out IntPtr handle))
                return handle;
        if (name == Nvrtc.Library)
            foreach (string path in CompilersNearLibTorch())
                if (NativeLibrary.TryLoad(path, out IntPtr handle))
                    return handle;
        return IntPtr.Zero;
    }

    // site-packages/torch/lib is libtorch's folder, site-packages/nvidia/*/lib NVIDIA's; libtorch's own archives hold a copy under a longer name.
    private static IEnumerable<string> CompilersNearLibTorch()
    {
        if (TorchLibraries.Folder.Path is not { } libtorch)
            return [];
        string nvidia = Path.GetFullPath(Path.Combine(libtorch, "..", "..", "nvidia"));
        IEnumerable<string> folders = Directory.Exists(nvidia) ? Directory.EnumerateDirectories(nvidia).Select(package => Path.Combine(package, "lib")).Where(Directory.Exists) : [];
        return folders.Append(libtorch)
            .SelectMany(folder => Directory.EnumerateFiles(folder, OperatingSystem.IsWindows() ? "nvrtc64_*.dll" : "libnvrtc*.so*"))
            .Where(path => !Path.GetFileName(path).Contains("builtins", StringComparison.Ordinal) && !Path.GetFileName(path).Contains(".alt.", StringComparison.Ordinal))
            .OrderDescending(StringComparer.Ordinal);
    }
}
