using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Sharpness;

/// <summary>The set S of tensors a step perturbs, still on the device.</summary>
/// <param name="Arena">Whose tensors.</param>
/// <param name="Mask">bool [number of tensors], true for the tensors in S.</param>
public sealed record Selection(Arena Arena, Tensor Mask)
{
    /// <summary>The names of the selected tensors, in parameter order. Reads from the device: for logs and tests, not for a step.</summary>
    public IReadOnlyList<string> Names()
    {
        using Tensor onHost = Mask.cpu();
        bool[] chosen = onHost.data<bool>().ToArray();
        return [.. Arena.Tensors.Where((_, index) => chosen[index]).Select(tensor => tensor.Name)];
    }
}
