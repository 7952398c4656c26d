using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Trainables;

/// <summary>
/// Matrices of an arena as products of half-width numbers take them. A float32 number is there twice, rounded, and what the rounding left of it rounded again: both together
/// are exact to 2⁻¹⁶, so that a perturbation survives which a half-width number alone would round away. They are made anew whenever a pass begins, in place, and lie together: the first pass asks for
/// them one after the other.
/// </summary>
internal sealed class FactorCopies(Arena arena) : IDisposable
{
    private const uint Threads = 256;
    private const uint BlocksOfRun = 16;
    private const long NumbersOfRun = 5;
    private const long LargestSlab = 16L << 20;

    private readonly Dictionary<Key, Copy> copies = [];
    private Slabs? slabs;
    private Tensor? table; // int64 [runs, 5], as the kernel wants it; null until the next refresh where a copy was added

    private enum Layout
    {
        Below,
        Diagonal,
    }

    /// <summary>Matrices [rank_i, in] one below the other, the rounded rows of each followed by what they lack: [2 · Σ rank_i, in].</summary>
    internal Tensor Below(IReadOnlyList<TrainableTensor> matrices, ScalarType format)
    {
        Place[] places = new Place[matrices.Count];
        long row = 0;
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = new Place(matrices[i], row, 0);
            row += 2 * matrices[i].Shape[0];
        }
        return Get(places, (row, matrices[0].Shape[1]), Layout.Below, format);
    }

    /// <summary>A matrix [out, rank] and what it lacks side by side: [out, 2 · rank].</summary>
    internal Tensor Beside(TrainableTensor matrix, ScalarType format) => Diagonal([(0, matrix)], matrix.Shape[0], format);

    /// <summary>Matrices [out_i, rank_i], each with what it lacks beside it, from its own first row on and behind the columns of those before it, and 0 elsewhere: [outputs, 2 · Σ rank_i].</summary>
    internal Tensor Diagonal(IReadOnlyList<(long First, TrainableTensor Matrix)> matrices, long outputs, ScalarType format)
    {
        Place[] places = new Place[matrices.Count];
        long column = 0;
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = new Place(matrices[i].Matrix, matrices[i].First, column);
            column += 2 * matrices[i].Matrix.Shape[1];
        }
        return Get(places, (outputs, column), Layout.Diagonal, format);
    }

    /// <summary>The format of the copies; null where there are none.</summary>
    internal ScalarType? Format => copies.Count == 0 ? null : copies.Keys.First().Format;

    /// <summary>Numbers as the two parts of a copy in a format stand for them: float32.</summary>
    internal static Tensor Rounded(Tensor numbers, ScalarType format)
    {
        using var scope = NewDisposeScope();
        Tensor rounded = numbers.to_type(format);
        return numbers.sub(rounded).to_type(format).to_type(ScalarType.Float32).Plus(rounded).MoveToOuterDisposeScope();
    }

    /// <summary>Makes all copies anew.</summary>
    internal void Refresh()
    {
        Prepare();
        if (table is not null)
            Kernel.Of("factors.cu", "split_factors").Launch(((uint)table.size(0), BlocksOfRun, 1), Threads, 0, arena.Values, table);
        else
            foreach (Copy copy in copies.Values)
                copy.Fill();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Copy copy in copies.Values)
            copy.Dispose();
        slabs?.Dispose();
        table?.Dispose();
    }

    private Tensor Get(Place[] places, (long Rows, long Columns) shape, Layout layout, ScalarType format)
    {
        Key key = new(places, layout, format);
        if (copies.TryGetValue(key, out Copy? known))
            return known.Numbers;
        slabs ??= new Slabs(Math.Min(2 * arena.Count, LargestSlab));
        Copy copy = new(places, layout, slabs.Take(shape.Rows, shape.Columns, format, arena.Device));
        copy.Fill();
        copies[key] = copy;
        table?.Dispose();
        table = null;
        return copy.Numbers;
    }

    /// <summary>Readies what a refresh needs, at the end of a pass: nothing can be copied to the device while a graph records the next one.</summary>
    internal void Prepare()
    {
        if (table is not null || !AreForKernel)
            return;
        long[] runs = [.. copies.Values.SelectMany(copy => copy.Runs(arena))];
        table = tensor(runs, [runs.LongLength / NumbersOfRun, NumbersOfRun], device: arena.Device).DetachFromDisposeScope();
    }

    private bool AreForKernel => copies.Count > 0 && copies.Keys.All(key => key.Format == ScalarType.BFloat16) && Kernels.Usable(arena.Values);

    /// <summary>A matrix and where its copy begins.</summary>
    private readonly record struct Place(TrainableTensor Matrix, long Row, long Column);

    /// <summary>The same matrices at the same places of a copy in a format.</summary>
    private readonly record struct Key(Place[] Places, Layout Layout, ScalarType Format)
    {
        public bool Equals(Key other) => Layout == other.Layout && Format == other.Format && Places.AsSpan().SequenceEqual(other.Places);

        public override int GetHashCode() => HashCode.Combine(Places[0], Places.Length, Layout, Format);
    }

    private sealed class Copy : IDisposable
    {
        private readonly Layout layout;
        private readonly Place[] places;
        private readonly (Tensor Source, Tensor Rounded, Tensor Lacking)[] parts;

        /// <summary>Over numbers that are 0.</summary>
        internal Copy(Place[] places, Layout layout, Tensor numbers)
        {
            (this.places, this.layout, Numbers) = (places, layout, numbers);
            parts = [.. places.Select(place => (Own(place.Matrix.Value), Part(place, 0), Part(place, 1)))];
        }

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

        /// <summary>
        /// For each source: where it begins in the arena, its numbers, the width of its rows where what they lack stands beside them (else 0), how far its copy's rows are apart, and the address of its
        /// copy.
        /// </summary>
        internal IEnumerable<long> Runs(Arena arena) => places.Zip(parts).SelectMany(pair => (long[])
            [arena.OffsetOf(pair.First.Matrix), pair.First.Matrix.Count, layout == Layout.Below ? 0 : pair.First.Matrix.Shape[1], Numbers.size(1), ForeignMemory.Address(pair.Second.Rounded)]);

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

        private Tensor Part(Place place, int part)
        {
            using var scope = NewDisposeScope();
            (long rows, long columns) = (place.Matrix.Shape[0], place.Matrix.Shape[1]);
            (long below, long beside) = layout == Layout.Below ? (part * rows, 0L) : (0L, part * columns);
            return Own(Numbers.narrow(0, place.Row + below, rows).narrow(1, place.Column + beside, columns));
        }

        private static Tensor Own(Tensor view) => view.DetachFromDisposeScope();
    }
}
