using static TorchSharp.torch;

namespace FlatPO.Recipes.Trainables;

/// <summary>
/// Room for what is made little by little among what goes soon, and stays: a GPU's allocator can give memory back only where nothing of it is in use, and a small tensor that stays would hold all
/// that lies beside it. Only tensors larger than a slab have memory of their own.
/// </summary>
/// <param name="numbers">How many a slab has room for.</param>
internal sealed class Slabs(long numbers) : IDisposable
{
    private const long Alignment = 512; // bytes, as libtorch's allocators have it

    private readonly List<Tensor> slabs = [];
    private long taken; // of the last one, numbers

    /// <summary>Zeros [rows, columns] in a format, in a tensor of the caller's own over memory that is kept until this is disposed.</summary>
    internal Tensor Take(long rows, long columns, ScalarType format, Device device)
    {
        using var scope = NewDisposeScope();
        long count = rows * columns;
        if (slabs.Count == 0 || slabs[^1].dtype != format || slabs[^1].NumberOfElements - taken < count)
        {
            slabs.Add(zeros([Math.Max(count, numbers)], format, device).DetachFromDisposeScope());
            taken = 0;
        }
        Tensor room = slabs[^1].narrow(0, taken, count).view(rows, columns);
        long step = Alignment / slabs[^1].element_size();
        taken = Math.Min(slabs[^1].NumberOfElements, (taken + count + step - 1) / step * step);
        return room.DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor slab in slabs)
            slab.Dispose();
    }
}
