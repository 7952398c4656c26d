using System.Security.Cryptography;

namespace FlatPO.Recipes.Native;

/// <summary>Files made once and kept for later runs of the same user. Writing is safe against other processes doing the same at once.</summary>
internal static class CacheFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Where files may lie, best first.</summary>
    internal static IEnumerable<string> Candidates()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg)
            yield return Path.Combine(xdg, "flatpo-recipes");
        if (Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home)
            yield return Path.Combine(home, ".cache", "flatpo-recipes");
        yield return Path.Combine(Path.GetTempPath(), $"flatpo-recipes-{Environment.UserName}");
    }

    /// <summary>The path of a file with this content, written unless it is there; null where no folder can be written.</summary>
    internal static string? Keep(string name, byte[] content)
    {
        foreach (string folder in Candidates())
        {
            string path = Path.Combine(folder, name);
            try
            {
                if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(content))
                    return path;
                Create(folder);
                string partial = $"{path}.{Environment.ProcessId}.{Guid.NewGuid():N}";
                File.WriteAllBytes(partial, content);
                File.Move(partial, path, overwrite: true); // rename(2): a reader sees the old file or the whole new one
                return path;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // not writable: try the next folder
            }
        }
        return null;
    }

    /// <summary>What <see cref="KeepSealed"/> wrote; null where it is not there, not whole, or in a folder that is not the user's alone.</summary>
    internal static byte[]? ReadSealed(string name)
    {
        foreach (string folder in Candidates())
        {
            string path = Path.Combine(folder, name);
            try
            {
                if (File.Exists(path) && IsOwn(folder) && Opened(File.ReadAllBytes(path)) is { } content)
                    return content;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // not readable: try the next folder
            }
        }
        return null;
    }

    /// <summary>Writes a file that is only read whole: its hash comes first.</summary>
    internal static string? KeepSealed(string name, byte[] content) => Keep(name, [.. SHA256.HashData(content), .. content]);

    private static byte[]? Opened(byte[] file) =>
        file.Length > SHA256.HashSizeInBytes && SHA256.HashData(file.AsSpan(SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(file.AsSpan(0, SHA256.HashSizeInBytes))
            ? file[SHA256.HashSizeInBytes..]
            : null;

    private static void Create(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    private static bool IsOwn(string folder) => OperatingSystem.IsWindows() || File.GetUnixFileMode(folder) == OwnerOnly;
}
