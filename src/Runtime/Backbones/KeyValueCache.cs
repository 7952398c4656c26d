using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// The keys and values that a decoder's layers made of the tokens it has read, so that the next token need not read them again. Room for all of a text is made
/// once; no gradient passes through.
/// </summary>
/// <param name="capacity">Tokens and padding of the longest row it will hold.</param>
public sealed class KeyValueCache(long capacity) : IDisposable
{
    private readonly List<LayerCache> layers = [];

    private long ahead;

    /// <summary>How many places of each text it holds.</summary>
    public long Length => layers.Count == 0 ? 0 : layers[0].Length - ahead;

    /// <inheritdoc/>
    public void Dispose() => layers.ForEach(layer => layer.Dispose());

    /// <summary>The part of the layer with this number; what an adapter puts before the texts is held with them.</summary>
    internal LayerCache Layer(int number, InputSite? inputs)
    {
        ahead = inputs?.Places ?? 0;
        while (layers.Count <= number)
            layers.Add(new LayerCache(capacity + ahead));
        return layers[number];
    }
}

/// <summary>One layer's part of a <see cref="KeyValueCache"/>.</summary>
internal sealed class LayerCache(long capacity) : IDisposable
{
    private Tensor? keys; // [rows, key-value heads, capacity, width]
    private Tensor? values;

    /// <summary>Places filled.</summary>
    internal long Length { get; private set; }

    /// <summary>Puts keys and values [rows, heads, T, width] behind those it holds and gives all of them: [rows, heads, S, width].</summary>
    internal (Tensor Keys, Tensor Values) Append(Tensor newKeys, Tensor newValues)
    {
        keys ??= RoomFor(newKeys);
        values ??= RoomFor(newValues);
        long first = Length, count = newKeys.size(2);
        Length += count;
        return (Placed(keys, newKeys), Placed(values, newValues));

        Tensor Placed(Tensor room, Tensor added)
        {
            using var scope = NewDisposeScope();
            room.narrow(2, first, count).copy_(added);
            return room.narrow(2, 0, Length).MoveToOuterDisposeScope();
        }
    }

    public void Dispose()
    {
        keys?.Dispose();
        values?.Dispose();
    }

    private Tensor RoomFor(Tensor part) => empty([part.size(0), part.size(1), capacity, part.size(3)], part.dtype, part.device).DetachFromDisposeScope();
}
