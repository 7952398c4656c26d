using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>A tensor of an adapter file. It need not be one that is trained: some methods save what theirs come to.</summary>
/// <param name="Name">In the file, without peft's prefix.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="Read">The numbers as they are now, float32.</param>
/// <param name="Write">Puts numbers of that shape in their place.</param>
public sealed record StoredTensor(string Name, IReadOnlyList<long> Shape, Func<Tensor> Read, Action<Tensor> Write)
{
    /// <summary>A trained tensor under its own name, or another.</summary>
    public static StoredTensor Of(TrainableTensor tensor, string? name = null) => new(name ?? tensor.Name, tensor.Shape, () => tensor.Value, numbers => tensor.Value.copy_(numbers));
}
