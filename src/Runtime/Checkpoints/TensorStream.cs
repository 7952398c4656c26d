using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>
/// Reads many tensors to one device in one number format: a few threads take the chunks in turn, each through a buffer of its own, so that a chunk is read while
/// another crosses to the device. What the host holds beside the tensors is those buffers. Files are read and not mapped: a mapped page costs a fault each
/// 4 KiB, which is several times slower, and a file that is cut short under a map ends the process. The buffers stay until it is disposed, from one run to the next.
/// </summary>
internal sealed class TensorStream(Device device, ScalarType dtype) : IDisposable
{
    /// <summary>Bytes of a chunk: a multiple of every number's width.</summary>
    internal const int ChunkBytes = 16 << 20;

    // More than four add nothing: one alone nearly fills the bus to the device.
    private const int MostReaders = 4;

    private readonly List<Chunk> chunks = [];
    private readonly ConcurrentBag<ChunkReader> idle = [];

    /// <summary>
    /// Makes room for a tensor of a file, in a number format of its own where one is given, and notes it down; <see cref="Run"/> brings its numbers. It belongs to the caller.
    /// </summary>
    internal Tensor Add(SafetensorsFile file, string name, ScalarType? format = null)
    {
        SafetensorsEntry entry = file.Entry(name);
        ScalarType stored = file.Stored(entry);
        Tensor target = empty([.. entry.Shape], format ?? dtype, device);
        int width = SafetensorsEntry.Width(entry.Format);
        for (long first = 0; first < entry.End - entry.Begin; first += ChunkBytes)
            chunks.Add(new Chunk(file, entry, stored, target, first / width, (int)(Math.Min(ChunkBytes, entry.End - entry.Begin - first) / width)));
        return target;
    }

    /// <summary>Brings the numbers of everything noted down.</summary>
    internal void Run()
    {
        int next = 0, readers = Math.Min(chunks.Count, Math.Min(MostReaders, Environment.ProcessorCount));
        try
        {
            Parallel.For(0, readers, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, readers) }, _ =>
            {
                if (!idle.TryTake(out ChunkReader? reader))
                    reader = new(device);
                try
                {
                    for (int i = Interlocked.Increment(ref next) - 1; i < chunks.Count; i = Interlocked.Increment(ref next) - 1)
                        reader.Read(chunks[i]);
                }
                finally
                {
                    idle.Add(reader);
                }
            });
        }
        catch (AggregateException errors)
        {
            ExceptionDispatchInfo.Throw(errors.InnerExceptions.OfType<RecipeException>().FirstOrDefault() ?? errors.InnerExceptions[0]);
        }
        chunks.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ChunkReader reader in idle)
            reader.Dispose();
    }

    /// <summary>A run of a tensor's numbers, in the order of the file.</summary>
    private readonly record struct Chunk(SafetensorsFile File, SafetensorsEntry Entry, ScalarType Stored, Tensor Target, long First, int Count)
    {
        /// <summary>Where its numbers go, flat.</summary>
        internal Tensor Place => Target.view(-1).narrow(0, First, Count);

        internal int Width => SafetensorsEntry.Width(Entry.Format);
    }

    /// <summary>What one thread reads with.</summary>
    private sealed unsafe class ChunkReader(Device device) : IDisposable
    {
        private Tensor? buffer;

        internal void Read(in Chunk chunk)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor place = chunk.Place;
            if (chunk.Stored == place.dtype && device.type == DeviceType.CPU)
            {
                Bytes(chunk, ForeignMemory.Address(place));
                return;
            }
            IntPtr address = ForeignMemory.Address(buffer ??= Buffer());
            Bytes(chunk, address);
            Tensor read = ForeignMemory.View(address, chunk.Stored, [chunk.Count]);
            place.copy_(chunk.Stored == place.dtype ? read : read.to(device)); // another number format is made on the device, where it costs least
        }

        public void Dispose() => buffer?.Dispose();

        private static void Bytes(in Chunk chunk, IntPtr target) =>
            chunk.File.ReadBytes(chunk.Entry, chunk.First * chunk.Width, new Span<byte>((void*)target, chunk.Count * chunk.Width));

        // The bus takes pinned memory without a copy of it.
        private Tensor Buffer()
        {
            using var scope = NewDisposeScope();
            Tensor plain = empty(ChunkBytes, ScalarType.Byte);
            return (device.type == DeviceType.CUDA ? plain.pin_memory() : plain).DetachFromDisposeScope();
        }
    }
}
