using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Trainables;

/// <summary>
/// All trainable tensors as slices of one flat float32 buffer, in parameter order. Whatever trains (ranking, climbing, optimizers, clipping)
/// works on the buffer: a handful of kernels, no loop over tensors, no value read back to the host.
/// </summary>
public sealed class Arena : IDisposable
{
    private readonly long[] lengths;
    private readonly long[] offsets;
    private readonly Tensor lengthsOnDevice;
    private readonly FactorCopies copies;
    private Tensor? saved;
    private Tensor? error;

    /// <summary>Takes over the tensors' numbers and lays them out one behind the other on <paramref name="device"/>.</summary>
    public Arena(IReadOnlyList<TrainableTensor> tensors, Device device)
    {
        if (tensors.Count == 0)
            throw new RecipeException("FPO1008", "nothing to train: no adapter was placed");
        Tensors = tensors;
        copies = new FactorCopies(this);
        lengths = [.. tensors.Select(tensor => tensor.Count)];
        offsets = new long[tensors.Count];
        for (int i = 1; i < offsets.Length; i++)
            offsets[i] = offsets[i - 1] + lengths[i - 1];
        Count = lengths.Sum();
        Values = empty(Count, float32, device).DetachFromDisposeScope();
        Gradient = zeros(Count, float32, device).DetachFromDisposeScope();
        lengthsOnDevice = tensor(lengths, int64, device).DetachFromDisposeScope();
        using (no_grad())
            for (int i = 0; i < tensors.Count; i++)
            {
                using Tensor initial = tensors[i].MoveInto(this, i);
                using Tensor slice = Slice(Values, i);
                slice.copy_(initial);
            }
        Values.requires_grad = true;
        Values.grad = Gradient; // backward adds into this buffer from now on
    }

    /// <summary>The tensors, in parameter order.</summary>
    public IReadOnlyList<TrainableTensor> Tensors { get; }

    /// <summary>Number of trained numbers.</summary>
    public long Count { get; }

    /// <summary>The trained numbers, float32 [<see cref="Count"/>], the one leaf of every pass's graph.</summary>
    public Tensor Values { get; }

    /// <summary>Where backward leaves its gradients, float32 [<see cref="Count"/>].</summary>
    public Tensor Gradient { get; }

    /// <summary>The device everything lies on.</summary>
    public Device Device => Values.device;

    /// <summary>Makes every tensor <see cref="TrainableTensor.Live"/> until the returned scope is left. One split forward, one cat backward.</summary>
    public PassScope Bind()
    {
        copies.Refresh();
        Tensor[] pieces = Values.split(lengths);
        for (int i = 0; i < pieces.Length; i++)
            Tensors[i].Bind(pieces[i].view([.. Tensors[i].Shape]));
        return new PassScope(this);
    }

    /// <summary>
    /// Notes how much of a climb was lost to rounding, in the numbers that adapters compute with: ‖(cast(θ + ε) − cast(θ)) − ε‖ / ‖ε‖, 0-dim, float32, which is taken over.
    /// </summary>
    internal void NotePerturbationError(Tensor lost)
    {
        error?.Dispose();
        error = lost.DetachFromDisposeScope();
    }

    /// <summary>Hands over what was noted; null where nothing climbed since it was last asked.</summary>
    internal Tensor? TakePerturbationError()
    {
        Tensor? taken = error;
        error = null;
        return taken;
    }

    /// <summary>A flat buffer of numbers as adapters compute with them: as they are, or what their half-width copies come to.</summary>
    internal Tensor AsComputed(Tensor flat) => copies.Format is { } format ? FactorCopies.Rounded(flat, format) : flat;

    /// <summary>Its matrices as half-width products take them.</summary>
    internal FactorCopies Copies => copies;

    /// <summary>Forgets the gradients of the last pass.</summary>
    public void ZeroGradient() => Gradient.fill_(Scalars.Zero);

    /// <summary>Sums <paramref name="flat"/> [<see cref="Count"/>] over each tensor: float32 [number of tensors].</summary>
    public Tensor SumByTensor(Tensor flat)
    {
        if (flat.device_type != DeviceType.CPU)
            return Ops.SegmentSum(flat, lengthsOnDevice);
        // The CPU kernel keeps one running sum a segment: in float32 its rounding could decide a rank.
        using Tensor wide = flat.to_type(ScalarType.Float64);
        using Tensor sums = Ops.SegmentSum(wide, lengthsOnDevice);
        return sums.to_type(ScalarType.Float32);
    }

    /// <summary>Gives every element its tensor's number: [number of tensors] to [<see cref="Count"/>].</summary>
    public Tensor SpreadToElements(Tensor byTensor) => byTensor.repeat_interleave(lengthsOnDevice, 0, Count);

    /// <summary>Keeps a copy of the numbers in a buffer that lives as long as the arena.</summary>
    internal void Save()
    {
        saved ??= empty_like(Values, requires_grad: false).DetachFromDisposeScope();
        using (no_grad())
            saved.copy_(Values);
    }

    /// <summary>Puts the saved numbers back, bit for bit.</summary>
    internal void Restore()
    {
        using (no_grad())
            Values.copy_(saved ?? throw new InvalidOperationException("nothing was saved"));
    }

    /// <summary>Where a tensor begins.</summary>
    internal long OffsetOf(TrainableTensor tensor) => offsets[tensor.Index];

    /// <summary>One tensor's part of a flat buffer, detached, in the tensor's shape.</summary>
    internal Tensor Slice(Tensor flat, int index)
    {
        using Tensor detached = flat.detach();
        using Tensor part = detached.narrow(0, offsets[index], lengths[index]);
        return part.view([.. Tensors[index].Shape]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        Gradient.Dispose();
        lengthsOnDevice.Dispose();
        copies.Dispose();
        error?.Dispose();
        saved?.Dispose();
    }

    /// <summary>While it is open, the arena's tensors are live; the default one has none.</summary>
    public readonly struct PassScope(Arena? arena) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            foreach (TrainableTensor tensor in arena?.Tensors ?? [])
                tensor.Bind(null);
            arena?.Copies.Prepare();
        }
    }
}
