using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Optimization;

/// <summary>Tensors of an arena that move at one learning rate.</summary>
internal sealed class RateGroup
{
    private readonly Arena arena;
    private readonly int[] members;

    private RateGroup(Arena arena, double factor, int[] members) => (this.arena, Factor, this.members) = (arena, factor, members);

    /// <summary>What the learning rate in force is multiplied by.</summary>
    internal double Factor { get; }

    /// <summary>The groups of an arena, one a factor; a single one where all tensors share theirs.</summary>
    internal static IReadOnlyList<RateGroup> Of(Arena arena) =>
        [.. Enumerable.Range(0, arena.Tensors.Count).GroupBy(i => arena.Tensors[i].LearningRateFactor).Select(group => new RateGroup(arena, group.Key, [.. group]))];

    /// <summary>The group's part of a flat buffer [<see cref="Arena.Count"/>] as views that outlive the current dispose scope: one a tensor, or the whole buffer at once.</summary>
    internal Tensor[] Cut(Tensor flat) => members.Length == arena.Tensors.Count
        ? [flat.detach().DetachFromDisposeScope()]
        : [.. members.Select(member => arena.Slice(flat, member).DetachFromDisposeScope())];
}
