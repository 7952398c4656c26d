using System.IO.MemoryMappedFiles;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// A safetensors file, mapped into memory: opening reads and checks the header alone, reading a tensor streams its bytes from the map to where it goes.
/// Errors are FPO4002 and name the file and the tensor.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly SafetensorsHeader header;
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* start;
    private bool disposed;

    private SafetensorsFile(string path, SafetensorsHeader header, MemoryMappedFile map)
    {
        (Path, this.header, this.map) = (path, header, map);
        view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
    }

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
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        SafetensorsHeader header = SafetensorsHeader.Read(path, file);
        MemoryMappedFile map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        return new SafetensorsFile(path, header, map);
    }

    /// <summary>A tensor in the file's own number format, on the CPU.</summary>
    public Tensor Read(string name) => Read(name, CPU, Stored(Entry(name)));

    /// <summary>A tensor on <paramref name="device"/> in the number format <paramref name="dtype"/>; it belongs to the caller.</summary>
    public Tensor Read(string name, Device device, ScalarType dtype)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        SafetensorsEntry entry = Entry(name);
        ScalarType stored = Stored(entry);
        long[] shape = [.. entry.Shape];
        using var scope = NewDisposeScope();
        Tensor target = empty(shape, dtype, device);
        if (entry.End > entry.Begin)
            using (no_grad())
                target.copy_(Source(entry, stored, shape));
        return target.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        map.Dispose();
    }

    // The map itself, or a copy where the file does not align the tensor to its number format (a byte-wide tensor of odd length before it).
    private Tensor Source(SafetensorsEntry entry, ScalarType stored, long[] shape)
    {
        byte* first = start + header.DataStart + entry.Begin;
        if ((nuint)first % (nuint)SafetensorsEntry.Width(entry.Format) == 0)
            return ForeignMemory.View((IntPtr)first, stored, shape);
        Tensor aligned = empty(shape, stored);
        long length = entry.End - entry.Begin;
        Buffer.MemoryCopy(first, (void*)ForeignMemory.Address(aligned), length, length);
        return aligned;
    }

    private SafetensorsEntry Entry(string name) =>
        Entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new RecipeException("FPO4002", $"{Path} has no tensor '{name}'");

    private ScalarType Stored(SafetensorsEntry entry) =>
        entry.Dtype ?? throw new RecipeException("FPO4002", $"{Path}: tensor '{entry.Name}' has number format {entry.Format}; allowed are {string.Join(", ", SafetensorsEntry.KnownFormats)}");
}
