using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
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

    /// <summary>Trains on token sequences.</summary>
    public TrainingReport Run(
        AdapterPlacement placement, IReadOnlyList<TokenExample> examples, TrainingSteps<TokenBatch> steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        (placement.Backbone as CausalLM)?.Check(examples, MaxLength);
        return RunAll(placement, new Examples<TokenExample, TokenBatch>(examples, some => Collation.Tokens(some, MaxLength, placement.Backbone.Device)), steps, progress, cancellation);
    }

    /// <summary>Trains on labelled images.</summary>
    public TrainingReport Run(
        AdapterPlacement placement, IReadOnlyList<ImageExample> examples, TrainingSteps<ImageBatch> steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        (placement.Backbone as ImageClassifier)?.Check(examples);
        return RunAll(placement, new Examples<ImageExample, ImageBatch>(examples, some => Collation.Images(some, placement.Backbone.Device)), steps, progress, cancellation);
    }

    private TrainingReport RunAll<TExample, TBatch>(
        AdapterPlacement placement, Examples<TExample, TBatch> examples, TrainingSteps<TBatch> steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
        where TBatch : IBatch
    {
        int perStep = BatchSize * GradientAccumulation;
        int perEpoch = examples.All.Count > 0
            ? (examples.All.Count + perStep - 1) / perStep
            : throw new RecipeException("FPO3010", "there are no examples to train on; at least one is needed");
        StepLog log = new(Epochs * perEpoch, ReadEvery, progress);
        placement.Training = true;
        try
        {
            int[] order = [];
            for (int step = 0; step < Epochs * perEpoch; step++)
            {
                cancellation.ThrowIfCancellationRequested();
                (int epoch, int position) = Math.DivRem(step, perEpoch);
                if (position == 0)
                    order = RunSeed.Shuffle(examples.All.Count, Seed, epoch);
                double factor = steps.Schedule.Factor(step, Epochs * perEpoch);
                using var scope = NewDisposeScope();
                Window<TBatch> window = new(examples.Batches(order, position * perStep, perStep, BatchSize), new RunSeed(Seed, step));
                steps.Optimizer.Schedule(factor);
                log.Add(steps.Step(window), epoch, steps.Optimizer.LearningRate * factor);
            }
            return log.Finish();
        }
        finally
        {
            placement.Training = false;
        }
    }

    /// <summary>The examples of a run and how some of them become a batch.</summary>
    private sealed record Examples<TExample, TBatch>(IReadOnlyList<TExample> All, Func<IReadOnlyList<TExample>, TBatch> Batch)
    {
        internal TBatch[] Batches(int[] order, int from, int count, int batchSize) =>
            [.. order.Skip(from).Take(count).Select(index => All[index]).Chunk(batchSize).Select(chunk => Batch(chunk))];
    }
}
