using System.Collections;

namespace FlatPO.Recipes.Adapters;

/// <summary>The layers of a backbone that carry adapters, by the layer's own number.</summary>
/// <param name="first">Number of the first adapted layer.</param>
/// <param name="last">Number of the last adapted layer.</param>
/// <param name="build">Builds the accessors of one layer.</param>
public sealed class AdaptedLayers<T>(int first, int last, Func<int, T> build) : IReadOnlyCollection<T>
{
    private readonly T[] layers = [.. Enumerable.Range(first, last - first + 1).Select(build)];

    /// <summary>The layer with this number. Throws <see cref="ArgumentOutOfRangeException"/> for a layer without adapters.</summary>
    public T this[int layer] => layer >= first && layer <= last
        ? layers[layer - first]
        : throw new ArgumentOutOfRangeException(nameof(layer), layer, $"layer {layer} carries no adapter; layers {first} to {last} do");

    /// <summary>How many layers carry adapters.</summary>
    public int Count => layers.Length;

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => layers.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
