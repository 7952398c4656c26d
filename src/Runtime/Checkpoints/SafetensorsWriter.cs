using System.Buffers.Binary;
using System.Text.Json;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>Writes safetensors files the way the Hugging Face library does, so that anything reads them; the old file stays whole until the new one is.</summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;
    private const int ChunkBytes = 1 << 20;

    /// <summary>Writes the tensors, from whatever device and in their own number formats.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        List<SafetensorsEntry> entries = Layout(path, tensors);
        byte[] header = Header(entries);
        AtomicFile.Write(path, file =>
        {
            Span<byte> prefix = stackalloc byte[SafetensorsHeader.Prefix];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
            file.Write(prefix);
            file.Write(header);
            foreach (SafetensorsEntry entry in entries)
                WriteBytes(file, tensors[entry.Name], entry.End - entry.Begin);
        });
    }

    // Widest numbers first, then by name: every tensor is aligned, and files of one format are in plain name order.
    private static List<SafetensorsEntry> Layout(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        List<SafetensorsEntry> entries = [];
        long position = 0;
        foreach ((string name, Tensor tensor) in tensors.OrderByDescending(pair => pair.Value.element_size()).ThenBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string format = SafetensorsEntry.FormatOf(tensor.dtype)
                ?? throw new RecipeException("FPO4002", $"{path}: tensor '{name}' has number format {tensor.dtype}; allowed are {string.Join(", ", SafetensorsEntry.KnownFormats)}");
            long end = position + tensor.numel() * SafetensorsEntry.Width(format);
            entries.Add(new SafetensorsEntry(name, format, tensor.shape, position, end));
            position = end;
        }
        return entries;
    }

    private static byte[] Header(List<SafetensorsEntry> entries)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(SafetensorsHeader.MetadataKey);
            writer.WriteString("format", "pt"); // transformers refuses a file that does not say which framework wrote it
            writer.WriteEndObject();
            foreach (SafetensorsEntry entry in entries)
                WriteEntry(writer, entry);
            writer.WriteEndObject();
        }
        while (json.Length % Alignment != 0)
            json.WriteByte((byte)' ');
        return json.ToArray();
    }

    private static void WriteEntry(Utf8JsonWriter writer, SafetensorsEntry entry)
    {
        writer.WriteStartObject(entry.Name);
        writer.WriteString("dtype", entry.Format);
        writer.WriteStartArray("shape");
        foreach (long size in entry.Shape)
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(entry.Begin);
        writer.WriteNumberValue(entry.End);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static unsafe void WriteBytes(Stream file, Tensor tensor, long length)
    {
        if (length == 0)
            return;
        using var scope = NewDisposeScope();
        Tensor plain = tensor.detach().cpu().contiguous();
        using UnmanagedMemoryStream bytes = new((byte*)ForeignMemory.Address(plain), length);
        bytes.CopyTo(file, ChunkBytes);
    }
}
