using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>One tensor of a checkpoint, frozen unless <see cref="Trainable"/> takes its place.</summary>
public sealed class Weight(string name, params long[] shape)
{
    private Tensor? frozen;
    private Weight? source;

    /// <summary>The name in the checkpoint.</summary>
    public string Name { get; } = name;

    /// <summary>The expected sizes.</summary>
    public IReadOnlyList<long> Shape { get; } = shape;

    /// <summary>The trained tensor that stands in for the frozen one; null while the weight is frozen.</summary>
    public TrainableTensor? Trainable { get; set; }

    /// <summary>What the network computes with: the frozen numbers, or the live slice of the arena.</summary>
    public Tensor Value => Trainable is null ? Frozen : Trainable.Live;

    /// <summary>The checkpoint's numbers.</summary>
    public Tensor Frozen => source?.Frozen ?? frozen ?? throw new InvalidOperationException($"{Name} has not been loaded");

    /// <summary>
    /// A weight of another name with this one's frozen numbers: one tensor in memory. Trained whole it parts from it, as peft's copy of a tied head does.
    /// </summary>
    internal Weight SharedAs(string name)
    {
        IsShared = true;
        return new(name, [.. Shape]) { source = this, IsShared = true };
    }

    /// <summary>Whether another weight has these numbers too: one merged into changes what the other computes, and a checkpoint holds them once.</summary>
    internal bool IsShared { get; private set; }

    /// <summary>Gives the weight its numbers; the tensor is taken over.</summary>
    internal void Fill(Tensor numbers)
    {
        frozen?.Dispose();
        frozen = numbers.DetachFromDisposeScope();
    }

    /// <summary>Puts other numbers in the place of the frozen ones, which the caller gets and must put back.</summary>
    internal Tensor Exchange(Tensor numbers)
    {
        Tensor former = Frozen;
        frozen = numbers;
        return former;
    }

    internal void Release() => frozen?.Dispose();
}
