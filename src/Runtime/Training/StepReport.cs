using FlatPO.Recipes.Sharpness;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>What one step found, still on the device.</summary>
/// <param name="Clean">L(θ), the training loss: 0-dim, float32.</param>
/// <param name="Perturbed">L(θ + ε), or null without a sharpness policy.</param>
/// <param name="Sharp">The tensors perturbed, or null without a sharpness policy.</param>
public sealed record StepReport(Tensor Clean, Tensor? Perturbed = null, Selection? Sharp = null)
{
    /// <summary>How much of the climb was lost to rounding: ‖(cast(θ + ε) − cast(θ)) − ε‖ / ‖ε‖ in the numbers the adapters computed with (0-dim, float32); null without a climb.</summary>
    internal Tensor? PerturbationError { get; init; } = Sharp?.Arena.TakePerturbationError();

    /// <summary>All its tensors.</summary>
    internal IEnumerable<Tensor> Tensors => new[] { Clean, Perturbed, Sharp?.Mask, PerturbationError }.OfType<Tensor>();

    /// <summary>The same report with tensors of its own.</summary>
    internal StepReport Copied() => new(Clean.clone(), Perturbed?.clone()) { Sharp = Sharp is null ? null : Sharp with { Mask = Sharp.Mask.clone() }, PerturbationError = PerturbationError?.clone() };
}
