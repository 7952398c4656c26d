using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Operations;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>Epochs, shuffling, windows of micro-batches, the schedule and the log around a recipe's step. Knows no task beyond how its examples become batches.</summary>
public sealed class TrainingLoop
{
    // Losses are read back every so many steps.
    private const int ReadEvery = 10;

    /// <inheritdoc cref="TrainingAttribute.Epochs"/>
    public int Epochs { get; init; } = 1;

    /// <inheritdoc cref="TrainingAttribute.BatchSize"/>
    public int BatchSize { get; init; } = 8;

    /// <inheritdoc cref="TrainingAttribute.GradientAccumulation"/>
    public int GradientAccumulation { get; init; } = 1;

    /// <inheritdoc cref="TrainingAttribute.Seed"/>
    public int Seed { get; init; }

    /// <inheritdoc cref="TrainingAttribute.MaxLength"/>
    public int MaxLength { get; init; }

    /// <inheritdoc cref="TrainingAttribute.Checkpointing"/>
    public bool Checkpointing { get; init; }

    /// <summary>The memory a step was planned to take; null where nobody planned.</summary>
    public PlannedMemory? Planned { get; init; }

    /// <summary>
    /// Trains what is placed on <paramref name="examples"/>; <paramref name="cancellation"/> ends the run between two steps. Throws FPO2102, before any number moved, where a tensor gets no
    /// gradient; FPO2103 where a step runs out of memory, with the adapters as the step found them.
    /// </summary>
    public TrainingReport Run<TExample, TBatch>(
        AdapterPlacement placement, IReadOnlyList<TExample> examples, TrainingSteps<TExample, TBatch> steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
        where TBatch : IBatch
    {
        steps.Backbone.Check(examples, MaxLength);
        int perStep = BatchSize * GradientAccumulation;
        int perEpoch = examples.Count > 0
            ? (examples.Count + perStep - 1) / perStep
            : throw new RecipeException("FPO3010", "there are no examples to train on; at least one is needed");
        StepLog log = new(Epochs * perEpoch, ReadEvery, progress);
        RunMemory memory = new(steps.Backbone.Device);
        using Recomputation? recomputation = Checkpointing ? Recomputation.Open() : null;
        placement.Training = true;
        try
        {
            RowLengths lengths = steps.Backbone.CountsPadding ? default : RowLengths.Of(examples, MaxLength);
            using CapturedSteps<TBatch> captured = new(steps.Step, steps.Backbone.Device, lengths);
            using BatchFeed<TExample, TBatch> feed = new(steps.Backbone, MaxLength, Windows(examples));
            for (int step = 0; step < Epochs * perEpoch; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                double factor = steps.Schedule.Factor(step, Epochs * perEpoch);
                using var scope = NewDisposeScope();
                Window<TBatch> window = captured.Window(feed.Next(cancellation), new RunSeed(Seed, step));
                if (step == 0)
                    window.AfterFirstPass = new GradientCheck(steps.Backbone).Require;
                steps.Optimizer.Schedule(factor);
                log.Add(captured.Run(window), step / perEpoch, steps.Optimizer.LearningRate * factor);
            }
            return log.Finish(memory) with { Execution = captured.Execution, WaitedForBatches = feed.Waited };
        }
        catch (Exception error) when (memory.RanOut(error))
        {
            throw memory.Report(error, log.Next, MemoryAdvice.Of(this, steps.Backbone));
        }
        finally
        {
            placement.Training = false;
        }
    }

    /// <summary>The examples of each micro-batch of each window, epoch after epoch.</summary>
    private IEnumerable<TExample[][]> Windows<TExample>(IReadOnlyList<TExample> examples) =>
        from epoch in Enumerable.Range(0, Epochs)
        from window in RunSeed.Shuffle(examples.Count, Seed, epoch).Chunk(BatchSize * GradientAccumulation)
        select window.Select(index => examples[index]).Chunk(BatchSize).ToArray();
}
