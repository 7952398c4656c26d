using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Sharpness;

/// <summary>The set S of tensors a step perturbs, on the device; what reads it back is the log (<c>Training/SelectionReading.cs</c>), never a step.</summary>
/// <param name="Arena">Whose tensors.</param>
/// <param name="Mask">bool [number of tensors], true for the tensors in S.</param>
public sealed record Selection(Arena Arena, Tensor Mask);
