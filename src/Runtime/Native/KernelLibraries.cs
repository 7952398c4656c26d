using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>Finds NVIDIA's libraries: by the system's loader, beside libtorch, or in the packages that a pip-installed PyTorch came with.</summary>
internal static class KernelLibraries
{
    private static readonly Dictionary<string, Names> Known = new(StringComparer.Ordinal)
    {
        [Nvrtc.Library] = OperatingSystem.IsWindows() ? new(["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"], "nvrtc64_*.dll") : new(["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"], "libnvrtc*.so*"),
        [CublasLt.Library] = OperatingSystem.IsWindows() ? new(["cublasLt64_13.dll", "cublasLt64_12.dll"], "cublasLt64_*.dll") : new(["libcublasLt.so.13", "libcublasLt.so.12"], "libcublasLt*.so*"),
        [KernelDriver.Library] = OperatingSystem.IsWindows() ? new(["nvcuda.dll"], null) : new(["libcuda.so.1", "libcuda.so"], null),
    };

    /// <summary>Whether a name stands for one of them.</summary>
    internal static bool Knows(string name) => Known.ContainsKey(name);

    /// <summary>The library's handle, or zero where it is nowhere.</summary>
    internal static IntPtr Find(string name)
    {
        Names names = Known[name];
        foreach (string candidate in names.Candidates.Concat(names.NearLibTorch is { } pattern ? FilesNearLibTorch(pattern) : []))
            if (NativeLibrary.TryLoad(candidate, out IntPtr handle))
                return handle;
        return IntPtr.Zero;
    }

    // site-packages/torch/lib is libtorch's folder, site-packages/nvidia/*/lib NVIDIA's; libtorch's own archives hold copies under longer names.
    private static IEnumerable<string> FilesNearLibTorch(string pattern)
    {
        if (TorchLibraries.Folder.Path is not { } libtorch)
            return [];
        string nvidia = Path.GetFullPath(Path.Combine(libtorch, "..", "..", "nvidia"));
        IEnumerable<string> folders = Directory.Exists(nvidia) ? Directory.EnumerateDirectories(nvidia).Select(package => Path.Combine(package, "lib")).Where(Directory.Exists) : [];
        return folders.Append(libtorch)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern))
            .Where(path => !Path.GetFileName(path).Contains("builtins", StringComparison.Ordinal) && !Path.GetFileName(path).Contains(".alt.", StringComparison.Ordinal))
            .OrderDescending(StringComparer.Ordinal);
    }

    /// <summary>What a library's file is called.</summary>
    /// <param name="Candidates">For the system's loader, the newest first.</param>
    /// <param name="NearLibTorch">A pattern of its file beside libtorch; null for one that comes with the system.</param>
    private sealed record Names(IReadOnlyList<string> Candidates, string? NearLibTorch);
}
