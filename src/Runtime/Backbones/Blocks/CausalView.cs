using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>
/// Which places the tokens of a pass may see: no later one, no padding, none a window or more back (transformers <c>masking_utils.py</c>). Padding behind what an adapter
/// put first is no distance: a text means the same alone and beside a longer one. peft counts it (its positions are the places' numbers).
/// </summary>
/// <param name="Tokens">int64 [rows, S]: 1 for a place to be seen, 0 for padding; what an adapter put before the text is counted.</param>
/// <param name="Padded">Whether padding may stand before a token.</param>
/// <param name="First">Place of the pass's first token; what stands before it has been read.</param>
/// <param name="Ahead">How many places an adapter put before the text.</param>
internal readonly record struct CausalView(Tensor Tokens, bool Padded, long First, long Ahead)
{
    /// <summary>S.</summary>
    internal long Length => Tokens.size(1);

    /// <summary>Whether padding may stand between what an adapter put first and the text, so that the places' numbers are no positions.</summary>
    internal bool Parted => Padded && Ahead > 0;

    /// <summary>A batch, read from its beginning.</summary>
    internal static CausalView Of(TokenBatch batch, InputSite? inputs = null) =>
        new(inputs.Mask(batch.AttentionMask), batch.Padding != Padding.Right, inputs?.Adapter is PrefixAdapter prefix ? prefix.Places : 0, inputs?.Places ?? 0);

    /// <summary>The new tokens of texts that go on.</summary>
    internal static CausalView Of(DecoderPass pass, InputSite? inputs)
    {
        int ahead = inputs?.Places ?? 0, before = pass.First > 0 || inputs?.Adapter is PrefixAdapter ? ahead : 0;
        return new(inputs.Mask(pass.AttentionMask), pass.IsPadded, before + pass.First, ahead);
    }

    /// <summary>Each new token's number among those of its row, from 0; on padding that of the token before it: int64 [rows, T].</summary>
    internal Tensor Positions()
    {
        using var scope = NewDisposeScope();
        return Numbers().narrow(1, First, Length - First).MoveToOuterDisposeScope();
    }

    /// <summary>What lets attention see that, by a mask only where it must; a query does not see a token <paramref name="window"/> or more places back.</summary>
    internal AttentionContext Context(bool training, RotaryTable? rotary = null, long? window = null)
    {
        bool windowed = window < Length, alone = Length - First == 1;
        return windowed || Padded || (First > 0 && !alone)
            ? new AttentionContext(training, Mask(windowed ? window : null), false, rotary)
            : new AttentionContext(training, null, !alone, rotary); // a single query is the last: it sees all there is
    }

    // [T, S], or [rows, 1, T, S] with padding: true where a query may see
    private Tensor Mask(long? window)
    {
        using var scope = NewDisposeScope();
        Tensor positions = Scalars.Positions(Length, Tokens.device);
        Tensor query = positions.narrow(0, First, Length - First).unsqueeze(1), key = positions.unsqueeze(0);
        Tensor allowed = key.le(query);
        if (window is { } back)
            allowed = allowed.logical_and(Parted ? Near(back) : key.gt(query.sub(Scalars.Of(back))));
        if (Padded)
        {
            Tensor tokens = Tokens.ne(Scalars.Zero).view(-1, 1, 1, Length);
            // padding sees itself: a softmax over nothing is NaN, and 0 · NaN would reach the gradients
            allowed = allowed.logical_and(tokens.logical_or(key.eq(query)));
        }
        return allowed.MoveToOuterDisposeScope();
    }

    // [rows, 1, T, S]: true where the key is less than a window before the query, by their numbers in the row
    private Tensor Near(long window)
    {
        using var scope = NewDisposeScope();
        Tensor key = Numbers();
        Tensor query = key.narrow(1, First, Length - First);
        return key.unsqueeze(1).gt(query.unsqueeze(2).sub(Scalars.Of(window))).unsqueeze(1).MoveToOuterDisposeScope();
    }

    // the same of all tokens: int64 [rows, S]
    private Tensor Numbers()
    {
        using var scope = NewDisposeScope();
        return Tokens.cumsum(1).sub(Scalars.One).clamp_min(Scalars.Zero).MoveToOuterDisposeScope();
    }
}
