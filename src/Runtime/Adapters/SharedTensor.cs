using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>Frozen numbers that belong to an adapter and not to the backbone: all layers of one placement compute with them.</summary>
/// <param name="Name">The whole name in PEFT's adapter file: <c>base_model.vera_A</c>.</param>
/// <param name="Value">The numbers, float32 on the backbone's device; released with the backbone.</param>
public sealed record SharedTensor(string Name, Tensor Value)
{
    /// <summary>Whether the adapter file holds it; where it does not, the settings alone say what its numbers are.</summary>
    public bool InFile { get; init; } = true;
}
