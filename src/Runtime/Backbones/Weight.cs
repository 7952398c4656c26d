using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>One tensor of a checkpoint, frozen unless <see cref="Trainable"/> takes its place.</summary>
public sealed class Weight(string name, params long[] shape)
{
    private Tensor? frozen;
    private Nf4Matrix? packed;
    private Weight? source;

    /// <summary>The name in the checkpoint.</summary>
    public string Name { get; } = name;

    /// <summary>The expected sizes.</summary>
    public IReadOnlyList<long> Shape { get; } = shape;

    /// <summary>The trained tensor that stands in for the frozen one; null while the weight is frozen.</summary>
    public TrainableTensor? Trainable { get; set; }

    /// <summary>What the network computes with: the frozen numbers, or the live slice of the arena.</summary>
    public Tensor Value => Trainable is null ? Frozen : Trainable.Live;

    /// <summary>The checkpoint's numbers. Of a weight held in 4 bits each call makes them anew, in bfloat16.</summary>
    public Tensor Frozen => source?.Frozen ?? frozen ?? packed?.Numbers(ScalarType.BFloat16) ?? throw new InvalidOperationException($"{Name} has not been loaded");

    /// <summary>The frozen numbers in 4 bits; null where the network computes with others, or they are not held so.</summary>
    internal Nf4Matrix? Packed => Trainable is null && frozen is null ? packed : null;

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

    /// <summary>Gives the weight its numbers in 4 bits, which are taken over.</summary>
    internal void Fill(Nf4Matrix numbers)
    {
        packed?.Dispose();
        packed = numbers;
    }

    /// <summary>Puts other numbers in the place of the frozen ones, which the caller gets and must put back: null where they are held in 4 bits, and stay.</summary>
    internal Tensor? Exchange(Tensor? numbers)
    {
        Tensor? former = frozen;
        frozen = numbers;
        return former;
    }

    internal void Release()
    {
        frozen?.Dispose();
        packed?.Dispose();
    }
}
