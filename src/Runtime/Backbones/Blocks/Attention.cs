using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>How an attention block splits its width.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Heads of keys and values; each serves Heads / KeyValueHeads query heads.</param>
/// <param name="HeadWidth">Width of one head.</param>
/// <param name="Dropout">Dropout of the attention probabilities while training.</param>
internal sealed record AttentionShape(long Heads, long KeyValueHeads, long HeadWidth, double Dropout);

/// <summary>Multi-head attention with grouped keys and values and, where the context has a rotary table, rotary positions.</summary>
internal sealed class Attention(ProjectionGroup queryKeyValue, Projection output, AttentionShape shape)
{
    private readonly double scale = 1 / Math.Sqrt(shape.HeadWidth);
    private readonly FusedHeads heads = new(shape.Heads, shape.KeyValueHeads, shape.HeadWidth);

    /// <summary>What each head of the queries goes through before it is turned; null for nothing.</summary>
    internal RmsNorm? QueryNorm { get; init; }

    /// <summary>What each head of the keys goes through before it is turned; null for nothing.</summary>
    internal RmsNorm? KeyNorm { get; init; }

    /// <summary>x [rows, T, hidden] to the same.</summary>
    internal Tensor Forward(Tensor x, in AttentionContext context)
    {
        using var scope = NewDisposeScope();
        RotaryTable? rotary = context.Rotary;
        Tensor? together = queryKeyValue.Together(x);
        bool turned = together is not null && rotary is not null && !HasHeadNorms;
        Tensor[] projected = together is null ? queryKeyValue.OneByOne(x) : turned ? RotaryOperation.Turn(together, (rotary!.Cosine, rotary.Sine), heads) : [together];
        if (turned)
            together!.Dispose(); // the three are tensors of their own
        bool ready = (turned || rotary is null) && !HasHeadNorms && context is { Mask: null, Before: null } && DropoutOf(context) == 0;
        Tensor mixed = ready && ShortAttention.Fits(x, heads)
            ? ShortAttention.Of(projected, heads, scale, context.Causal)
            : Mixed(projected.Length == 1 ? projected[0].split(queryKeyValue.Widths, -1) : projected, turned, context);
        return output.Forward(mixed).MoveToOuterDisposeScope();
    }

    private bool HasHeadNorms => QueryNorm is not null || KeyNorm is not null;

    private double DropoutOf(in AttentionContext context) => context.Training ? shape.Dropout : 0;

    // queries, keys and values [rows, T, heads · width] to the mixture of values [rows, T, heads · width]
    private Tensor Mixed(Tensor[] parts, bool turned, in AttentionContext context)
    {
        (long rows, long length) = (parts[0].size(0), parts[0].size(1));
        Tensor q = Split(parts[0], shape.Heads, QueryNorm); // [rows, heads, T, width]
        Tensor k = Split(parts[1], shape.KeyValueHeads, KeyNorm); // [rows, key-value heads, T, width]
        Tensor v = Split(parts[2], shape.KeyValueHeads);
        if (context.Rotary is { } rotary && !turned)
            (q, k) = (rotary.Turn(q), rotary.Turn(k));
        if (context.Before is { } before)
            (k, v) = before.Join(k, v); // [rows, key-value heads, S, width]
        Tensor mixed = Ops.ScaledDotProductAttention(q, k, v, (context.Mask, context.Causal, scale, DropoutOf(context)));
        return mixed.transpose(1, 2).reshape(rows, length, shape.Heads * shape.HeadWidth);

        Tensor Split(Tensor joined, long heads, RmsNorm? norm = null)
        {
            Tensor split = joined.view(rows, length, heads, shape.HeadWidth);
            return (norm?.Forward(split) ?? split).transpose(1, 2);
        }
    }
}
