using FlatPO.Recipes.Batches;

namespace FlatPO.Recipes;

/// <summary>A labelled sequence of token ids.</summary>
/// <param name="InputIds">The ids, at least one.</param>
/// <param name="Label">The label's number, from 0.</param>
public sealed record SequenceExample(IReadOnlyList<int> InputIds, int Label) : ITokenRow
{
    /// <summary>0 for the first and 1 for the second of two texts (transformers' <c>token_type_ids</c>); all 0 if not given.</summary>
    public IReadOnlyList<int>? TokenTypeIds { get; init; }
}
