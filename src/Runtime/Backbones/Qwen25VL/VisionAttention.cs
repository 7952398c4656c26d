using FlatPO.Recipes.Backbones.Blocks;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Qwen25VL;

/// <summary>What all blocks that see the patches in one order share.</summary>
/// <param name="Rotary">The turns of each patch, float32 [patches, width].</param>
/// <param name="Segments">Which patches attend to one another.</param>
internal readonly record struct PatchContext(RotaryTable Rotary, IReadOnlyList<Segments> Segments) : ILayerContext<PatchContext>
{
    /// <inheritdoc/>
    public Tensor?[] Tensors => [Rotary.Cosine, Rotary.Sine];

    /// <inheritdoc/>
    public PatchContext With(Tensor?[] tensors) => this with { Rotary = new RotaryTable(tensors[0]!, tensors[1]!) };
}

/// <summary>Attention inside each window, or each image, over one projection for queries, keys and values (transformers <c>Qwen2_5_VLVisionAttention</c>).</summary>
internal sealed class VisionAttention(Projection queryKeyValue, Projection output, long heads, long headWidth)
{
    private readonly double scale = 1 / Math.Sqrt(headWidth);

    /// <summary>x [patches, hidden] to the same.</summary>
    internal Tensor Forward(Tensor x, in PatchContext context)
    {
        using var scope = NewDisposeScope();
        RotaryTable rotary = context.Rotary;
        Tensor[] parts = queryKeyValue.Forward(x).view(-1, 3, heads, headWidth).unbind(1); // 3 × [patches, heads, width]
        long[] sizes = [.. context.Segments.Select(segments => segments.Count * segments.Length)];
        Tensor[] q = Turned(parts[0]).split(sizes, 1), k = Turned(parts[1]).split(sizes, 1), v = parts[2].transpose(0, 1).split(sizes, 1);
        Tensor[] mixed = new Tensor[sizes.Length];
        for (int i = 0; i < mixed.Length; i++)
            mixed[i] = Mixed(q[i], k[i], v[i], context.Segments[i]);
        return output.Forward(mixed.Length == 1 ? mixed[0] : cat(mixed, 0)).MoveToOuterDisposeScope();

        // in float32, whatever the number format (apply_rotary_pos_emb_vision): [patches, heads, width] to [heads, patches, width]
        Tensor Turned(Tensor joined) => rotary.Turn(joined.transpose(0, 1).unsqueeze(0)).squeeze(0).to_type(x.dtype);
    }

    // [heads, count · length, width] each, to [count · length, hidden]
    private Tensor Mixed(Tensor q, Tensor k, Tensor v, Segments segments)
    {
        Tensor mixed = Ops.ScaledDotProductAttention(Each(q), Each(k), Each(v), (null, false, scale, 0));
        return mixed.transpose(1, 2).reshape(-1, heads * headWidth);

        Tensor Each(Tensor joined) => joined.reshape(heads, segments.Count, segments.Length, headWidth).transpose(0, 1); // [count, heads, length, width]
    }
}
