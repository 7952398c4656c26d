using FlatPO.Recipes.Training;
using TorchSharp;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>
/// How sharp the point is where a run ended, measured the same way for every method: load the run's adapter into the SAM and the FlatPO recipe and let
/// each take one step over all training examples at learning rate 0. The step climbs by ρ, measures the loss there, returns and does not move.
/// </summary>
/// <param name="CleanLoss">L(θ).</param>
/// <param name="EveryTensor">L(θ + ε) − L(θ), ε along the gradient of every adapter tensor (SAM's climb).</param>
/// <param name="Sharpest">The same with ε on the sharpest 5 % of the tensors alone (FlatPO's climb).</param>
internal sealed record SharpnessProbe(double CleanLoss, double EveryTensor, double Sharpest)
{
    /// <summary>ρ of the probe's climbs, one for all methods; what a recipe trained with is its own affair.</summary>
    internal const double Rho = 0.05;

    internal static SharpnessProbe Measure(string model, torch.Device device, string adapter, IReadOnlyList<ImageExample> examples)
    {
        using ShiftedDigitsSam sam = ShiftedDigitsSam.Load(model, device);
        sam.LoadAdapter(adapter);
        StepRecord everyTensor = sam.Train(examples, with: settings => settings with { Rho = Rho, LearningRate = 0, Epochs = 1, BatchSize = examples.Count }).Steps[0];
        using ShiftedDigitsFlatPO flatPO = ShiftedDigitsFlatPO.Load(model, device);
        flatPO.LoadAdapter(adapter);
        StepRecord sharpest = flatPO.Train(examples, with: settings => settings with { Rho = Rho, LearningRate = 0, Epochs = 1, BatchSize = examples.Count }).Steps[0];
        return new SharpnessProbe(everyTensor.Loss, everyTensor.Sharpness!.Value, sharpest.Sharpness!.Value);
    }
}
