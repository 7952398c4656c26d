using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>What all layers of one pass share: who may attend to whom, the rotary table, and whether dropout acts.</summary>
/// <param name="Training">Whether dropout acts.</param>
/// <param name="Mask">true where a query (second to last dimension) may see a key (last); null where all it may, or <paramref name="Causal"/> alone decides.</param>
/// <param name="Causal">No query sees a later key. Only without a mask, which would say so itself.</param>
/// <param name="Rotary">The turns of each position; null where positions are embedded.</param>
internal readonly record struct AttentionContext(bool Training, Tensor? Mask = null, bool Causal = false, RotaryTable? Rotary = null)
{
    /// <summary>
    /// A causal decoder's context for a batch, built once: no query sees a later token, padding, or a token <paramref name="window"/> or more places back
    /// (transformers <c>masking_utils.py</c>).
    /// </summary>
    internal static AttentionContext Causally(TokenBatch batch, bool training, RotaryTable? rotary = null, long? window = null)
    {
        long length = batch.InputIds.size(1);
        bool windowed = window < length, padded = batch.Padding != Padding.Right;
        if (!windowed && !padded)
            return new AttentionContext(training, null, true, rotary);
        using var scope = NewDisposeScope();
        Tensor positions = Scalars.Positions(length, batch.InputIds.device);
        Tensor query = positions.unsqueeze(1), key = positions.unsqueeze(0);
        Tensor allowed = key.le(query); // [T, T]
        if (windowed)
            allowed = allowed.logical_and(key.gt(query.sub(Scalars.Of(window!.Value))));
        if (padded)
        {
            Tensor tokens = batch.AttentionMask.ne(Scalars.Zero).view(-1, 1, 1, length);
            // padding sees itself: a softmax over nothing is NaN, and 0 · NaN would reach the gradients
            allowed = allowed.logical_and(tokens.logical_or(key.eq(query))); // [rows, 1, T, T]
        }
        return new AttentionContext(training, allowed.MoveToOuterDisposeScope(), false, rotary);
    }
}
