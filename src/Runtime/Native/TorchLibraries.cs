using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace FlatPO.Recipes.Native;

/// <summary>
/// Finds libtorch and TorchSharp's shim and loads them, so that a program which references this library has nothing
/// to set up. <c>FLATPO_LIBTORCH=&lt;folder&gt;</c> runs on that folder's libtorch instead, for example the CUDA build in
/// <c>site-packages/torch/lib</c> of a pip-installed PyTorch.
/// </summary>
public static class TorchLibraries
{
    private const string Shim = "LibTorchSharp";
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, IntPtr> Loaded = new(StringComparer.Ordinal);
    private static LibTorchFolder? folder;
    private static RecipeException? failure;

    /// <summary>The folder libtorch was loaded from, and how it was found.</summary>
    public static LibTorchFolder Folder
    {
        get
        {
            Require();
            return folder!;
        }
    }

    /// <summary>Loads the libraries now. Throws <see cref="RecipeException"/> FPO4901 or FPO4902 where they cannot be had.</summary>
    public static void Require()
    {
        lock (Gate)
        {
            if (failure is null && folder is null)
                LoadAll();
            if (failure is not null)
                throw failure;
        }
    }

    /// <summary>Makes CUDA ready and says whether a GPU can be used; never throws for the lack of one.</summary>
    public static bool TryUseCuda([NotNullWhen(false)] out string? reason)
    {
        Require();
        if (folder!.Path is { } path && !File.Exists(Path.Combine(path, LibTorchFolder.FileName("torch_cuda"))))
        {
            reason = $"the libtorch in {path} has no CUDA library; set FLATPO_LIBTORCH to the lib folder of a CUDA build of PyTorch 2.10 or newer";
            return false;
        }
        try
        {
            torch.InitializeDeviceType(DeviceType.CUDA);
        }
        catch (Exception error) when (error is NotSupportedException or InvalidOperationException or ExternalException)
        {
            reason = $"CUDA could not be initialised: {error.Message.Split('\n')[0]}";
            return false;
        }
        reason = torch.cuda.is_available() ? null : "libtorch has CUDA but found no usable NVIDIA GPU or driver";
        return reason is null;
    }

    /// <summary>The address of what a loaded library exports.</summary>
    internal static bool TryFind(string library, string symbol, out IntPtr address)
    {
        Require();
        address = IntPtr.Zero;
        return Loaded.TryGetValue(library, out IntPtr handle) && NativeLibrary.TryGetExport(handle, symbol, out address);
    }

#pragma warning disable CA2255 // TorchSharp's first P/Invoke must already find the handler
    [ModuleInitializer]
    internal static void Register()
    {
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) => Resolve(name);
        NativeLibrary.SetDllImportResolver(typeof(TorchLibraries).Assembly, (name, _, _) => Resolve(name));
        if (LibTorchFolder.Requested is null)
            return;
        lock (Gate)
            LoadAll(); // before TorchSharp finds another libtorch beside the program
    }
#pragma warning restore CA2255

    private static IntPtr Resolve(string name)
    {
        if (KernelLibraries.Knows(name))
            return KernelLibraries.Find(name);
        if (name is not ("torch_cpu" or "torch_cuda" or Shim))
            return IntPtr.Zero;
        lock (Gate)
        {
            if (failure is null && folder is null)
                LoadAll();
            return Loaded.GetValueOrDefault(name);
        }
    }

    private static void LoadAll()
    {
        try
        {
            OpenMP.LetIdleThreadsSleep();
            folder = LibTorchFolder.Find();
            // Dependencies first: each later library finds the earlier ones already in the process.
            foreach (string name in (string[])["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"])
                if (folder.Path is null || File.Exists(Path.Combine(folder.Path, LibTorchFolder.FileName(name))))
                    TryLoad(name);
            if (!Loaded.ContainsKey("torch_cpu"))
                throw new RecipeException("FPO4901", $"libtorch could not be loaded from {folder}");
            Loaded[Shim] = ShimLibrary.Load(folder);
        }
        catch (RecipeException error)
        {
            failure = error;
        }
    }

    private static void TryLoad(string name)
    {
        string file = LibTorchFolder.FileName(name);
        string path = folder!.Path is null ? file : Path.Combine(folder.Path, file);
        try
        {
            Loaded[name] = NativeLibrary.Load(path);
        }
        catch (DllNotFoundException error) when (folder.Path is not null)
        {
            throw new RecipeException("FPO4901", $"{path} could not be loaded: {error.Message.Split('\n')[0]}", error);
        }
        catch (DllNotFoundException)
        {
            // no folder is known: the system's loader decides, and LoadAll reports if torch_cpu is missing
        }
    }
}
