namespace FlatPO.Recipes;

/// <summary>A tensor a recipe will train, as the compiler worked it out.</summary>
/// <param name="Name">Its name in PEFT's adapter file without the prefix.</param>
/// <param name="Shape">Its sizes.</param>
public sealed record PlannedTensor(string Name, IReadOnlyList<long> Shape)
{
    /// <summary>Numbers in it.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The same tensors in each of the layers <paramref name="first"/> to <paramref name="last"/>, layer by layer; <c>{layer}</c> in a name is the layer's number.</summary>
    public static IEnumerable<PlannedTensor> InLayers(int first, int last, params (string Name, long[] Shape)[] tensors) =>
        from layer in Enumerable.Range(first, last - first + 1)
        from tensor in tensors
        select new PlannedTensor(tensor.Name.Replace("{layer}", layer.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal), tensor.Shape);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}
