using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>Collects step reports on the device and reads them back a few at a time, so that a step never waits for a number.</summary>
internal sealed class StepLog(int totalSteps, int readEvery, IProgress<TrainingProgress>? progress)
{
    private readonly List<StepRecord> records = [];
    private readonly List<(StepReport Report, int Epoch, double LearningRate)> waiting = [];
    private readonly Stopwatch clock = Stopwatch.StartNew();

    /// <summary>Takes a step's report; its tensors must outlive the step's dispose scope until the next read.</summary>
    internal void Add(StepReport report, int epoch, double learningRate)
    {
        foreach (Tensor held in report.Tensors)
            held.DetachFromDisposeScope();
        waiting.Add((report, epoch, learningRate));
        if (waiting.Count >= readEvery)
            Read();
    }

    /// <summary>The number of the next step.</summary>
    internal int Next => records.Count + waiting.Count;

    internal TrainingReport Finish(RunMemory memory)
    {
        Read();
        return new TrainingReport(records, clock.Elapsed) { Memory = memory.Peaks };
    }

    private void Read()
    {
        foreach ((StepReport report, int epoch, double learningRate) in waiting)
        {
            StepRecord record = new(records.Count, epoch, learningRate, Number(report.Clean)!.Value, Number(report.Perturbed), report.Sharp?.Names() ?? []) { PerturbationError = Number(report.PerturbationError) };
            report.Sharp?.Mask.Dispose();
            records.Add(record);
            if (!double.IsFinite(record.Loss))
                throw new RecipeException("FPO2101", $"the loss of step {record.Step} is {record.Loss}: the run diverged; lower the learning rate (now {learningRate:g4}) or check the examples");
            progress?.Report(new TrainingProgress(record, totalSteps, clock.Elapsed));
        }
        waiting.Clear();
    }

    private static double? Number(Tensor? scalar)
    {
        using (scalar)
            return scalar?.ToSingle();
    }
}
