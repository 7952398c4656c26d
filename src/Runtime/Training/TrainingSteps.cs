using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;

namespace FlatPO.Recipes.Training;

/// <summary>What a recipe brings to the loop: its backbone, its step, and the optimizer and schedule the step runs on.</summary>
/// <param name="Backbone">What turns examples into batches.</param>
/// <param name="Step">One optimizer step over a window.</param>
/// <param name="Optimizer">The optimizer the step moves.</param>
/// <param name="Schedule">How its learning rate moves.</param>
public sealed record TrainingSteps<TExample, TBatch>(Backbone<TExample, TBatch> Backbone, Func<Window<TBatch>, StepReport> Step, BaseOptimizer Optimizer, LearningRateSchedule Schedule)
    where TBatch : IBatch;
