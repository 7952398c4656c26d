namespace FlatPO.Recipes.Training;

/// <summary>How the steps of a run were executed.</summary>
/// <param name="CapturedSteps">Steps that were launched as CUDA graphs.</param>
/// <param name="EagerSteps">Steps that were launched kernel by kernel: the first of each size, and all of them where there is a reason.</param>
/// <param name="Graphs">How many step sizes were recorded.</param>
/// <param name="Capturing">Time spent recording.</param>
/// <param name="WhyEager">Why steps are not recorded, or no longer; null where they are.</param>
public sealed record Execution(int CapturedSteps, int EagerSteps, int Graphs, TimeSpan Capturing, string? WhyEager);
