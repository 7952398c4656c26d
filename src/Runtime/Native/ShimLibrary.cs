using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FlatPO.Recipes.Native;

/// <summary>
/// Loads TorchSharp's native shim. The Linux build needs GLIBCXX_3.4.32 for one symbol that only makes sure iostreams are
/// initialised (libtorch does that anyway); where libstdc++ is older, a copy without that need is loaded from a per-user cache.
/// </summary>
internal static class ShimLibrary
{
    private static readonly string Name = LibTorchFolder.FileName("LibTorchSharp");

    internal static IntPtr Load(LibTorchFolder libtorch)
    {
        string? path = LibTorchFolder.Beside().Append(libtorch.Path ?? "").Select(folder => Path.Combine(folder, Name)).FirstOrDefault(File.Exists);
        if (NativeLibrary.TryLoad(path ?? Name, out IntPtr handle))
            return handle;
        if (path is null)
            throw new RecipeException("FPO4902", $"TorchSharp's {Name} lies neither beside the program ({AppContext.BaseDirectory}) nor in {libtorch}");
        if (OperatingSystem.IsLinux() && ElfVersionNeed.Replace(File.ReadAllBytes(path), OldNeed, NewNeed) is { } patched)
            return LoadOrExplain(Cache(patched));
        return LoadOrExplain(path);
    }

    private static readonly ElfVersionNeed.Symbol OldNeed = new("_ZSt21ios_base_library_initv", "GLIBCXX_3.4.32");
    private static readonly ElfVersionNeed.Symbol NewNeed = new("_ZSt15get_new_handlerv", "GLIBCXX_3.4.20");

    private static IntPtr LoadOrExplain(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException error)
        {
            throw new RecipeException("FPO4902", $"{path} could not be loaded: {error.Message.Split('\n')[0]}", error);
        }
    }

    /// <summary>Writes the bytes under a name made of their hash.</summary>
    private static string Cache(byte[] library) =>
        CacheFolder.Keep($"libLibTorchSharp-{Convert.ToHexStringLower(SHA256.HashData(library))[..16]}.so", library)
        ?? throw new RecipeException("FPO4902", $"no folder can be written for the shim's copy; tried {string.Join(", ", CacheFolder.Candidates())}");
}
