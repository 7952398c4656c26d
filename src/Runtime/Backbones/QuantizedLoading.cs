using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>
/// Fills weights that are held in 4 bits, or come so, one by one: the device has the numbers of one matrix in full at a time. A checkpoint that holds some in 4 bits says by that which;
/// of any other every linear layer but the head is rounded, from the numbers as they are stored.
/// </summary>
internal sealed class QuantizedLoading(WeightTable table, Checkpoint checkpoint, CheckpointMatch match)
{
    /// <summary>Fills some of the weights and returns the others.</summary>
    internal IReadOnlyList<Weight> Fill(IReadOnlyList<Weight> weights)
    {
        HashSet<Weight> linear = table.Quantizes ? [.. table.Projections.Where(site => (site.Role & Sites.Head) == 0).Select(site => site.Weight)] : [];
        Weight[] here = [.. weights.Where(weight => match.Packed.IsAny ? Stored(weight) is not null : linear.Contains(weight))];
        if (here.Length == 0)
            return weights;
        NormalFloat format = new(table.Device);
        foreach (Tensor numbers in format.Tables)
            table.Keep(numbers);
        using TensorStream stream = new(table.Device, table.Dtype);
        foreach (Weight weight in here)
        {
            using var scope = NewDisposeScope();
            Nf4Matrix matrix = Stored(weight) is { } stored ? match.Packed.Read(stored, stream, format) : Rounded(weight, stream, format);
            if (linear.Contains(weight))
            {
                weight.Fill(matrix);
                continue;
            }
            weight.Fill(matrix.Numbers(table.Dtype));
            matrix.Dispose();
        }
        return [.. weights.Except(here)];
    }

    private PackedEntry? Stored(Weight weight) => match.Packed.Find(match.NameOf(weight));

    private Nf4Matrix Rounded(Weight weight, TensorStream stream, NormalFloat format) =>
        Nf4Matrix.Of(checkpoint.Read([match.NameOf(weight)], stream, stored => stored.Dtype!.Value)[0], format);
}
