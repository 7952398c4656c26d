using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace FlatPO.Recipes.Native;

/// <summary>A CUDA source of this library, and the headers (.cuh) it may include: embedded resources. Compiled once for an architecture, and kept for later runs.</summary>
internal sealed class KernelSource
{
    private const string Folder = "Kernels/";
    private static readonly Assembly Home = typeof(KernelSource).Assembly;
    private static readonly Lazy<IReadOnlyDictionary<string, string>> Headers = new(() => Names(".cuh").ToDictionary(name => name, Text, StringComparer.Ordinal));

    private readonly string name;
    private readonly string text;

    private KernelSource(string name) => (this.name, text) = (name, Text(name));

    /// <summary>A source with a text of its own.</summary>
    internal KernelSource(string name, string text) => (this.name, this.text) = (name, text);

    /// <summary>The names of all sources.</summary>
    internal static IEnumerable<string> All => Names(".cu");

    /// <summary>The headers by their names.</summary>
    internal static IReadOnlyDictionary<string, string> AllHeaders => Headers.Value;

    /// <summary>What stands in it.</summary>
    internal string Code => text;

    /// <summary>The source with a name such as <c>norm.cu</c>.</summary>
    internal static KernelSource Of(string name) => new(name);

    /// <summary>The program for an architecture such as sm_90: what an earlier run has left, or compiled now.</summary>
    internal byte[] Cubin(string architecture)
    {
        string file = CacheName(architecture);
        if (CacheFolder.ReadSealed(file) is { } kept)
            return kept;
        byte[] cubin = Nvrtc.Compile(name, text, Headers.Value, Options(architecture));
        CacheFolder.KeepSealed(file, cubin); // where no folder can be written it is compiled in every run
        return cubin;
    }

    /// <summary>The file of the cache that holds it.</summary>
    internal string CacheName(string architecture)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string[] parts = [Nvrtc.Version().ToString(), .. Options(architecture), text, .. Headers.Value.OrderBy(header => header.Key, StringComparer.Ordinal).SelectMany(header => (string[])[header.Key, header.Value])];
        foreach (string part in parts)
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(part)));
        return $"{Path.GetFileNameWithoutExtension(name)}-{architecture}-{Convert.ToHexStringLower(hash.GetHashAndReset())[..16]}.cubin";
    }

    private static string[] Options(string architecture) => [$"--gpu-architecture={architecture}", "--std=c++17", "-default-device"];

    private static IEnumerable<string> Names(string ending) => Home.GetManifestResourceNames()
        .Where(resource => resource.StartsWith(Folder, StringComparison.Ordinal) && resource.EndsWith(ending, StringComparison.Ordinal))
        .Select(resource => resource[Folder.Length..]);

    private static string Text(string name)
    {
        using Stream stream = Home.GetManifestResourceStream(Folder + name) ?? throw new ArgumentException($"no kernel source is named {name}; there are {string.Join(", ", All)}", nameof(name));
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
