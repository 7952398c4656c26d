using System.Buffers.Binary;
using System.IO.Compression;

namespace FlatPO.Recipes.Examples.Digits;

/// <summary>A file in MNIST's IDX format, plain or gzipped: two zero bytes, the element type, the number of sizes, the sizes (big-endian), the elements.</summary>
/// <param name="Sizes">Count, or count, height and width.</param>
/// <param name="Elements">Unsigned bytes, the last size running fastest.</param>
public sealed record IdxFile(IReadOnlyList<int> Sizes, byte[] Elements)
{
    private const byte UnsignedByte = 0x08;

    /// <summary>Reads a file of unsigned bytes with <paramref name="dimensions"/> sizes.</summary>
    public static IdxFile Read(string path, int dimensions)
    {
        byte[] bytes = ReadAll(path);
        int header = 4 + 4 * dimensions;
        if (bytes.Length < header || bytes is not [0, 0, ..])
            throw new InvalidDataException($"{path} is not an IDX file: it must begin with two zero bytes and a header of {header} bytes");
        if (bytes[2] != UnsignedByte)
            throw new InvalidDataException($"{path} holds elements of type 0x{bytes[2]:x2}; only unsigned bytes (0x08) are read");
        if (bytes[3] != dimensions)
            throw new InvalidDataException($"{path} has {bytes[3]} dimensions; expected {dimensions} ({(dimensions == 1 ? "labels" : "images")})");
        int[] sizes = [.. Enumerable.Range(0, dimensions).Select(i => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4 + 4 * i)))];
        long elements = sizes.Aggregate(1L, (product, size) => product * size);
        if (bytes.Length - header != elements)
            throw new InvalidDataException($"{path} holds {bytes.Length - header} elements; its header promises {string.Join(" × ", sizes)} = {elements}");
        return new IdxFile(sizes, bytes[header..]);
    }

    private static byte[] ReadAll(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path} does not exist; expected a file in IDX format", path);
        using FileStream file = File.OpenRead(path);
        using Stream content = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using MemoryStream bytes = new();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }
}
