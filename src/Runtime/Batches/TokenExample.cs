using FlatPO.Recipes.Batches;

namespace FlatPO.Recipes;

/// <summary>A sequence of token ids to learn from.</summary>
/// <param name="InputIds">The ids, at least two.</param>
/// <param name="Labels">What to predict at each position: an id, or −100 where the position teaches nothing. Every position's own id if not given.</param>
public sealed record TokenExample(IReadOnlyList<int> InputIds, IReadOnlyList<int>? Labels = null) : ITokenRow;
