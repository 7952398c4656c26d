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
    /// <summary>The keys and values of the tokens before this pass's, in the layer that is given the context; null where there are none.</summary>
    internal LayerCache? Cache { get; init; }

    /// <summary>A causal decoder's context for a batch, built once; a query does not see a token <paramref name="window"/> or more places back.</summary>
    internal static AttentionContext Causally(TokenBatch batch, bool training, RotaryTable? rotary = null, long? window = null) =>
        new CausalRule(batch.AttentionMask, batch.Padding != Padding.Right, First: 0, window).Context(training, rotary);

    /// <summary>The same for the new tokens of a text that goes on.</summary>
    internal static AttentionContext Causally(DecoderPass pass, RotaryTable? rotary = null, long? window = null) =>
        new CausalRule(pass.AttentionMask, pass.IsPadded, pass.First, window).Context(training: false, rotary);
}

/// <summary>
/// Whom the tokens from place First on may see: no later token, no padding, no token Window or more places back (transformers <c>masking_utils.py</c>).
/// </summary>
/// <param name="Tokens">int64 [rows, S]: 1 for a token, 0 for padding.</param>
/// <param name="Padded">Whether padding may stand before a token.</param>
/// <param name="First">The first query's place; keys begin at 0.</param>
/// <param name="Window">How far back a query sees; null for all the way.</param>
internal readonly record struct CausalRule(Tensor Tokens, bool Padded, long First, long? Window)
{
    /// <summary>The context that lets attention follow the rule, by a mask only where it must.</summary>
    internal AttentionContext Context(bool training, RotaryTable? rotary)
    {
        long length = Tokens.size(1);
        bool windowed = Window < length, alone = length - First == 1;
        return windowed || Padded || (First > 0 && !alone)
            ? new AttentionContext(training, Mask(windowed), false, rotary)
            : new AttentionContext(training, null, !alone, rotary); // a single query is the last: it sees all there is
    }

    // [T, S], or [rows, 1, T, S] with padding
    private Tensor Mask(bool windowed)
    {
        using var scope = NewDisposeScope();
        long length = Tokens.size(1);
        Tensor positions = Scalars.Positions(length, Tokens.device);
        Tensor query = positions.narrow(0, First, length - First).unsqueeze(1), key = positions.unsqueeze(0);
        Tensor allowed = key.le(query);
        if (windowed)
            allowed = allowed.logical_and(key.gt(query.sub(Scalars.Of(Window!.Value))));
        if (Padded)
        {
            Tensor tokens = Tokens.ne(Scalars.Zero).view(-1, 1, 1, length);
            // padding sees itself: a softmax over nothing is NaN, and 0 · NaN would reach the gradients
            allowed = allowed.logical_and(tokens.logical_or(key.eq(query)));
        }
        return allowed.MoveToOuterDisposeScope();
    }
}
