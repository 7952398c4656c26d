using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// A safetensors file: opening reads and checks the header alone, reading a tensor streams its bytes to where it goes (<see cref="TensorStream"/>).
/// Errors are FPO4002 and name the file and the tensor.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafetensorsHeader header;
    private readonly SafeFileHandle handle;

    private SafetensorsFile(string path, SafetensorsHeader header, SafeFileHandle handle) => (Path, this.header, this.handle) = (path, header, handle);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => header.Entries;

    /// <summary>The free text the file carries.</summary>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>Opens a file and checks its whole header.</summary>
    public static SafetensorsFile Open(string path)
    {
        if (!File.Exists(path))
            throw new RecipeException("FPO4001", $"there is no file '{path}'");
        SafetensorsHeader header;
        using (FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete))
            header = SafetensorsHeader.Read(path, file);
        return new SafetensorsFile(path, header, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));
    }

    /// <summary>A tensor in the file's own number format, on the CPU.</summary>
    public Tensor Read(string name) => Read(name, CPU, Stored(Entry(name)));

    /// <summary>A tensor on <paramref name="device"/> in the number format <paramref name="dtype"/>; it belongs to the caller.</summary>
    public Tensor Read(string name, Device device, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using TensorStream stream = new(device, dtype);
        Tensor target = stream.Add(this, name);
        stream.Run();
        return target.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    /// <summary>What the header says about a tensor that must be there.</summary>
    internal SafetensorsEntry Entry(string name) =>
        Entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new RecipeException("FPO4002", $"{Path} has no tensor '{name}'");

    /// <summary>The number format a tensor is stored in; FPO4002 for one that cannot be read.</summary>
    internal ScalarType Stored(SafetensorsEntry entry) =>
        entry.Dtype ?? throw new RecipeException("FPO4002", $"{Path}: tensor '{entry.Name}' has number format {entry.Format}; allowed are {string.Join(", ", SafetensorsEntry.KnownFormats)}");

    /// <summary>Fills <paramref name="bytes"/> with what lies <paramref name="offset"/> bytes behind the beginning of a tensor. Several threads may read at once.</summary>
    internal void ReadBytes(SafetensorsEntry entry, long offset, Span<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, this);
        long position = header.DataStart + entry.Begin + offset;
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(handle, bytes, position);
            if (read == 0)
                throw new RecipeException("FPO4002", $"{Path} has become shorter since it was opened: tensor '{entry.Name}' is cut at byte {position}");
            bytes = bytes[read..];
            position += read;
        }
    }
}
