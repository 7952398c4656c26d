using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones.Blocks;

/// <summary>What all layers of one pass share: who may attend to whom, the rotary table, and whether dropout acts.</summary>
/// <param name="Training">Whether dropout acts.</param>
/// <param name="Mask">true where a query (second to last dimension) may see a key (last); null where all it may, or <paramref name="Causal"/> alone decides.</param>
/// <param name="Causal">No query sees a later key. Only without a mask, which would say so itself.</param>
/// <param name="Rotary">The turns of each position; null where positions are embedded.</param>
internal readonly record struct AttentionContext(bool Training, Tensor? Mask = null, bool Causal = false, RotaryTable? Rotary = null) : ILayerContext<AttentionContext>
{
    /// <summary>What the layer that is given the context sees before this pass's tokens; null where there is nothing.</summary>
    internal KeysBefore? Before { get; init; }

    /// <inheritdoc/>
    public Tensor?[] Tensors => [Mask, Rotary?.Cosine, Rotary?.Sine, Before?.Prefix?.Keys, Before?.Prefix?.Values];

    /// <summary>The context for one layer.</summary>
    internal AttentionContext With(KeysBefore? before) => this with { Before = before };

    /// <inheritdoc/>
    public AttentionContext With(Tensor?[] tensors) => this with
    {
        Mask = tensors[0],
        Rotary = Rotary is null ? null : new RotaryTable(tensors[1]!, tensors[2]!),
        Before = Before is { Prefix: not null } before ? before with { Prefix = (tensors[3]!, tensors[4]!) } : Before,
    };
}

/// <summary>Keys and values that a layer sees before those of a pass.</summary>
/// <param name="Prefix">Trained ones: float32 [heads, places, width] each; null where there are none.</param>
/// <param name="Cache">Those of the tokens before this pass's; null where nothing is kept.</param>
internal sealed record KeysBefore((Tensor Keys, Tensor Values)? Prefix, LayerCache? Cache)
{
    /// <summary>What each of <paramref name="layers"/> layers sees before a pass: an adapter's prefix, and what a cache holds. Made once a pass.</summary>
    internal static KeysBefore?[] Of(InputSite? inputs, KeyValueCache? cache, int layers)
    {
        KeysBefore?[] before = new KeysBefore?[layers];
        Tensor[]? all = (inputs?.Adapter as PrefixAdapter)?.KeysAndValues().unbind(0); // 2 · layers × [heads, places, width]
        for (int i = 0; i < layers && (all is not null || cache is not null); i++)
            before[i] = new KeysBefore(all is null ? null : (all[2 * i], all[(2 * i) + 1]), cache?.Layer(i, inputs));
        return before;
    }

    /// <summary>Keys and values [rows, heads, T, width] of a pass behind all that come before: [rows, heads, S, width].</summary>
    internal (Tensor Keys, Tensor Values) Join(Tensor keys, Tensor values)
    {
        if (Prefix is { } prefix && Cache is not { Length: > 0 })
            (keys, values) = (Behind(prefix.Keys, keys), Behind(prefix.Values, values));
        return Cache?.Append(keys, values) ?? (keys, values);
    }

    private static Tensor Behind(Tensor prefix, Tensor own) => cat([prefix.to_type(own.dtype).unsqueeze(0).expand(own.size(0), -1, -1, -1), own], 2);
}
