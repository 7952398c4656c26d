namespace FlatPO.Recipes.Training;

/// <summary>One step in numbers.</summary>
/// <param name="Step">The step's number, from 0.</param>
/// <param name="Epoch">The epoch's number, from 0.</param>
/// <param name="LearningRate">The learning rate in force.</param>
/// <param name="Loss">The clean loss, L(θ).</param>
/// <param name="PerturbedLoss">L(θ + ε); null without a sharpness policy.</param>
/// <param name="Perturbed">The names of the tensors perturbed; empty without a sharpness policy.</param>
public sealed record StepRecord(int Step, int Epoch, double LearningRate, double Loss, double? PerturbedLoss, IReadOnlyList<string> Perturbed)
{
    /// <summary>L(θ + ε) − L(θ), the measured sharpness.</summary>
    public double? Sharpness => PerturbedLoss - Loss;
}

/// <summary>A step that was just read back, and how far the run is.</summary>
/// <param name="Record">The step.</param>
/// <param name="TotalSteps">How many steps the run has.</param>
/// <param name="Elapsed">Time since the run began.</param>
public sealed record TrainingProgress(StepRecord Record, int TotalSteps, TimeSpan Elapsed);

/// <summary>A finished run.</summary>
/// <param name="Steps">Every step.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record TrainingReport(IReadOnlyList<StepRecord> Steps, TimeSpan Elapsed)
{
    /// <summary>Mean clean loss of the last tenth of the steps (at least one).</summary>
    public double FinalLoss => Tail.Average(step => step.Loss);

    /// <summary>Mean sharpness of the last tenth of the steps (at least one); null without a sharpness policy.</summary>
    public double? FinalSharpness => Tail.Average(step => step.Sharpness);

    /// <summary>How long steps waited for their batches, which are collated beside them.</summary>
    public TimeSpan WaitedForBatches { get; init; }

    /// <summary>How the steps were executed.</summary>
    public Execution? Execution { get; init; }

    /// <summary>The most memory the run took of its GPU; null on the CPU, and where libtorch does not say.</summary>
    public MemoryPeaks? Memory { get; init; }

    private IEnumerable<StepRecord> Tail => Steps.Skip(Steps.Count - Math.Max(1, Steps.Count / 10));
}

/// <summary>The most memory there was at any time of a run, in bytes.</summary>
/// <param name="PeakAllocatedBytes">In tensors; what was there before the run is counted.</param>
/// <param name="PeakReservedBytes">Taken from the driver: tensors, and what libtorch keeps for the next ones.</param>
public sealed record MemoryPeaks(long PeakAllocatedBytes, long PeakReservedBytes);

/// <summary>What an evaluation found.</summary>
/// <param name="Loss">Mean cross-entropy over all predictions.</param>
/// <param name="Accuracy">Share of predictions whose largest logit is the label's.</param>
/// <param name="Predictions">How many predictions were judged.</param>
public sealed record Evaluation(double Loss, double Accuracy, long Predictions);
