using FlatPO.Recipes.Sharpness;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>Reads a selection back from the device, for logs and tests.</summary>
public static class SelectionReading
{
    /// <summary>The names of the selected tensors, in parameter order. Waits for the device.</summary>
    public static IReadOnlyList<string> Names(this Selection selection)
    {
        using Tensor onHost = selection.Mask.cpu();
        bool[] chosen = onHost.data<bool>().ToArray();
        return [.. selection.Arena.Tensors.Where((_, index) => chosen[index]).Select(tensor => tensor.Name)];
    }
}
