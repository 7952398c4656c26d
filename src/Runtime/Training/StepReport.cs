using FlatPO.Recipes.Sharpness;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>What one step found, still on the device.</summary>
/// <param name="Clean">L(θ), the training loss: 0-dim, float32.</param>
/// <param name="Perturbed">L(θ + ε), or null without a sharpness policy.</param>
/// <param name="Sharp">The tensors perturbed, or null without a sharpness policy.</param>
public sealed record StepReport(Tensor Clean, Tensor? Perturbed = null, Selection? Sharp = null);
