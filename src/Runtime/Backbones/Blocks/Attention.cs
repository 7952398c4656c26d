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

    /// <summary>What each head of the queries goes through before it is turned; null for nothing.</summary>
    internal RmsNorm? QueryNorm { get; init; }

    /// <summary>What each head of the keys goes through before it is turned; null for nothing.</summary>
    internal RmsNorm? KeyNorm { get; init; }

    /// <summary>x [rows, T, hidden] to the same.</summary>
    internal Tensor Forward(Tensor x, in AttentionContext context)
    {
        using var scope = NewDisposeScope();
        (Tensor[] parts, bool turned) = Projected(x, context.Rotary);
        (long rows, long length) = (x.size(0), x.size(1));
        Tensor q = Split(parts[0], shape.Heads, QueryNorm); // [rows, heads, T, width]
        Tensor k = Split(parts[1], shape.KeyValueHeads, KeyNorm); // [rows, key-value heads, T, width]
        Tensor v = Split(parts[2], shape.KeyValueHeads);
        if (context.Rotary is { } rotary && !turned)
            (q, k) = (rotary.Turn(q), rotary.Turn(k));
        if (context.Before is { } before)
            (k, v) = before.Join(k, v); // [rows, key-value heads, S, width]
        double dropout = context.Training ? shape.Dropout : 0;
        Tensor mixed = Ops.ScaledDotProductAttention(q, k, v, (context.Mask, context.Causal, scale, dropout));
        Tensor merged = mixed.transpose(1, 2).reshape(rows, length, shape.Heads * shape.HeadWidth);
        return output.Forward(merged).MoveToOuterDisposeScope();

        Tensor Split(Tensor joined, long heads, RmsNorm? norm = null)
        {
            Tensor split = joined.view(rows, length, heads, shape.HeadWidth);
            return (norm?.Forward(split) ?? split).transpose(1, 2);
        }
    }

    // queries, keys and values [rows, T, heads · width] of each; turned already where one kernel turns them while it takes them apart
    private (Tensor[] Parts, bool Turned) Projected(Tensor x, RotaryTable? rotary)
    {
        if (queryKeyValue.Together(x) is not { } together)
            return (queryKeyValue.OneByOne(x), false);
        if (rotary is null || QueryNorm is not null || KeyNorm is not null)
            return (together.split(queryKeyValue.Widths, -1), false);
        Tensor[] turned = RotaryOperation.Turn(together, (rotary.Cosine, rotary.Sine), new FusedHeads(shape.Heads, shape.KeyValueHeads, shape.HeadWidth));
        together.Dispose(); // the three are tensors of their own
        return (turned, true);
    }
}
