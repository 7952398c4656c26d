using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Trainables;

/// <summary>
/// Matrices of an arena as products of half-width numbers take them. A float32 number is there twice, rounded, and what the rounding left of it rounded again: both together
/// are exact to 2⁻¹⁶, so that a perturbation survives which a half-width number alone would round away. They are made anew whenever a pass begins, in place.
/// </summary>
internal sealed class FactorCopies(Arena arena) : IDisposable
{
    private const uint Threads = 256;
    private const uint BlocksOfRun = 16;

    private readonly Dictionary<(TrainableTensor First, int Count, bool Beside, ScalarType Format), Copy> copies = [];
    private bool grew; // since the last refresh
    private Tensor? table; // int64 [runs, 4], as the kernel wants it; null until the next refresh where a copy was added

    /// <summary>Matrices [rank_i, in] one below the other, the rounded rows of each followed by what they lack: [2 · Σ rank_i, in].</summary>
    internal Tensor Below(IReadOnlyList<TrainableTensor> matrices, ScalarType format) => Get(matrices, beside: false, format);

    /// <summary>A matrix [out, rank] and what it lacks side by side: [out, 2 · rank].</summary>
    internal Tensor Beside(TrainableTensor matrix, ScalarType format) => Get([matrix], beside: true, format);

    /// <summary>Makes all copies anew.</summary>
    internal void Refresh()
    {
        grew = false;
        if (copies.Count == 0)
            return;
        if (Kernels.Usable(arena.Values) && copies.Keys.All(key => key.Format == ScalarType.BFloat16))
            RefreshAtOnce();
        else
            foreach (Copy copy in copies.Values)
                copy.Fill();
    }

    /// <summary>Makes all copies anew where some were added: the next refresh then has nothing to bring to the device, and can be recorded.</summary>
    internal void Settle()
    {
        if (grew)
            Refresh();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Copy copy in copies.Values)
            copy.Dispose();
        table?.Dispose();
    }

    private Tensor Get(IReadOnlyList<TrainableTensor> matrices, bool beside, ScalarType format)
    {
        var key = (matrices[0], matrices.Count, beside, format);
        if (copies.TryGetValue(key, out Copy? known) && known.Sources.SequenceEqual(matrices))
            return known.Numbers;
        known?.Dispose();
        Copy copy = new(matrices, beside ? 1 : 0, format);
        copy.Fill();
        copies[key] = copy;
        grew = true;
        table?.Dispose();
        table = null;
        return copy.Numbers;
    }

    private void RefreshAtOnce()
    {
        using var scope = NewDisposeScope();
        if (table is null)
        {
            long[] runs = [.. copies.Values.SelectMany(copy => copy.Runs(arena))];
            table = tensor(runs, [runs.LongLength / 4, 4], device: arena.Device).DetachFromDisposeScope();
        }
        Kernel.Of("factors.cu", "split_factors").Launch(((uint)table.size(0), BlocksOfRun, 1), Threads, 0, arena.Values, table);
    }

    private sealed class Copy : IDisposable
    {
        private readonly int dimension;
        private readonly (Tensor Source, Tensor Rounded, Tensor Lacking)[] parts;

        internal Copy(IReadOnlyList<TrainableTensor> sources, int dimension, ScalarType format)
        {
            (Sources, this.dimension) = (sources, dimension);
            long[] shape = [.. sources[0].Shape];
            shape[dimension] = 2 * sources.Sum(source => source.Shape[dimension]);
            Numbers = empty(shape, format, sources[0].Value.device).DetachFromDisposeScope();
            parts = new (Tensor, Tensor, Tensor)[sources.Count];
            long first = 0;
            for (int i = 0; i < parts.Length; i++)
            {
                long size = sources[i].Shape[dimension];
                parts[i] = (Own(sources[i].Value), Own(Numbers.narrow(dimension, first, size)), Own(Numbers.narrow(dimension, first + size, size)));
                first += 2 * size;
            }
        }

        internal IReadOnlyList<TrainableTensor> Sources { get; }

        internal Tensor Numbers { get; }

        internal void Fill()
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            foreach ((Tensor source, Tensor rounded, Tensor lacking) in parts)
            {
                rounded.copy_(source);
                lacking.copy_(source.sub(rounded));
            }
        }

        /// <summary>For each source: where it begins in the arena, its numbers, the width of its rows where copies stand side by side (else 0), and the address of its copy.</summary>
        internal IEnumerable<long> Runs(Arena arena) =>
            Sources.Zip(parts).SelectMany(pair => (long[])[arena.OffsetOf(pair.First), pair.First.Count, dimension == 0 ? 0 : pair.First.Shape[1], ForeignMemory.Address(pair.Second.Rounded)]);

        public void Dispose()
        {
            foreach ((Tensor source, Tensor rounded, Tensor lacking) in parts)
            {
                source.Dispose();
                rounded.Dispose();
                lacking.Dispose();
            }
            Numbers.Dispose();
        }

        private static Tensor Own(Tensor view) => view.DetachFromDisposeScope();
    }
}
