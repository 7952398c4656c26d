using static TorchSharp.torch;

namespace FlatPO.Recipes.Trainables;

/// <summary>A tensor of an adapter's file: what is written there, and what becomes of what is read.</summary>
/// <param name="Name">Its name there without PEFT's prefix.</param>
/// <param name="Shape">Its sizes there.</param>
/// <param name="Write">Gives the numbers for the file, float32.</param>
/// <param name="Read">Takes the file's numbers, float32 on the backbone's device, under <c>no_grad</c>; they are released afterwards.</param>
public sealed record FileTensor(string Name, IReadOnlyList<long> Shape, Func<Tensor> Write, Action<Tensor> Read)
{
    /// <summary>Whether it is a copy of what the checkpoint holds: a file may lack it, and one that holds other numbers belongs to another checkpoint.</summary>
    public bool IsCopy { get; init; }

    /// <summary>A trained tensor that is in the file as it is, under its own name or another.</summary>
    public static FileTensor Of(TrainableTensor tensor, string? name = null) => new(name ?? tensor.Name, tensor.Shape, () => tensor.Value, numbers => tensor.Value.copy_(numbers));
}
