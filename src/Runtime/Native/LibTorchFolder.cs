using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>Where libtorch lies and how it was found: <c>FLATPO_LIBTORCH</c>, beside the program, in its NuGet package, or on the system's path.</summary>
/// <param name="Path">The folder, or null where the system's loader must find it.</param>
/// <param name="Origin">How the folder was found, in words.</param>
public sealed record LibTorchFolder(string? Path, string Origin)
{
    private const string Variable = "FLATPO_LIBTORCH";

    internal static string? Requested => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } value ? value : null;

    /// <inheritdoc/>
    public override string ToString() => Path is null ? Origin : $"{Path} ({Origin})";

    internal static string FileName(string library) =>
        OperatingSystem.IsWindows() ? $"{library}.dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";

    internal static LibTorchFolder Find()
    {
        if (Requested is { } requested)
            return Holds(requested)
                ? new(System.IO.Path.GetFullPath(requested), Variable)
                : throw new RecipeException("FPO4901", $"{Variable} names {requested}, which holds no {FileName("torch_cpu")}; it must be a folder with libtorch 2.10 or newer, for example site-packages/torch/lib");
        foreach (string beside in Beside())
            if (Holds(beside))
                return new(beside, "beside the program");
        if (AppContext.GetData("FlatPO.Recipes.LibTorch") is string package && Holds(package))
            return new(package, "the libtorch package the program was built with");
        return new(null, "the system's library path; reference a libtorch package (for example libtorch-cpu-linux-x64) or set FLATPO_LIBTORCH");
    }

    /// <summary>Folders where a published or copied native library lies, nearest first.</summary>
    internal static IEnumerable<string> Beside()
    {
        string rid = RuntimeInformation.RuntimeIdentifier;
        string os = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string portable = $"{os}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        yield return AppContext.BaseDirectory;
        foreach (string name in (string[])[rid, portable])
            yield return System.IO.Path.Combine(AppContext.BaseDirectory, "runtimes", name, "native");
    }

    private static bool Holds(string folder) => File.Exists(System.IO.Path.Combine(folder, FileName("torch_cpu")));
}
