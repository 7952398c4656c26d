using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Adapters.Lora;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training.Captured;

/// <summary>A run with LoRA on every linear layer and the two sharpest tensors perturbed, as a recipe emits it. The same numbers at every visit.</summary>
internal sealed class ShortRun(TrainingLoop loop) : IOnFamily<RunOutcome>
{
    internal double Dropout { get; init; }

    /// <summary>What is perturbed; two tensors by their gradient unless given.</summary>
    internal Func<Ranking, long, Selection>? Select { get; init; }

    /// <summary>Done in each step, between its passes.</summary>
    internal Action<Tensor> Between { get; init; } = _ => { };

    internal IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Runs, each from where the one before ended.</summary>
    internal int Runs { get; init; } = 1;

    public RunOutcome On<TExample, TBatch>(Backbone<TExample, TBatch> backbone, TExample[] examples)
        where TBatch : IBatch
    {
        using var scope = NewDisposeScope();
        AdapterPlacement placement = new(backbone, seed: 3);
        LoraMethod lora = new() { Rank = 2, Alpha = 8, Dropout = Dropout };
        foreach (Projection site in backbone.Weights.Projections.Where(site => (site.Role & Sites.AllLinear) != 0))
            placement.Place(lora, site.Module);
        using Arena arena = placement.BuildArena();
        using Ranking ranking = new(arena, Sites.None);
        List<TrainingReport> reports = [];
        for (int run = 0; run < Runs; run++)
        {
            using Sgd optimizer = new(arena) { LearningRate = 1e-2 };
            reports.Add(loop.Run(placement, examples, new TrainingSteps<TExample, TBatch>(backbone, Step, optimizer, new LinearSchedule()), Progress, CancellationToken.None));

            StepReport Step(Window<TBatch> window)
            {
                Tensor clean = window.Pass(arena, backbone.Loss);
                Between(clean);
                Selection sharp = Select is null ? ranking.Sharpest(2) : Select(ranking, SeedOf(window));
                Tensor perturbed;
                using (arena.Climb(sharp, 0.05))
                    perturbed = window.Pass(arena, backbone.Loss);
                arena.ClipGradient(1);
                optimizer.Step();
                return new StepReport(clean, perturbed, sharp);
            }
        }
        return new RunOutcome(reports[^1], arena.Values.detach().cpu().data<float>().ToArray());
    }

    /// <summary>Whether <see cref="Select"/> asks for the window's seed.</summary>
    internal bool Draws { get; init; }

    private long SeedOf<TBatch>(Window<TBatch> window)
        where TBatch : IBatch => Draws ? window.Seed : 0;
}

/// <summary>What a run told and left.</summary>
internal sealed record RunOutcome(TrainingReport Report, float[] Values)
{
    internal Execution Execution => Report.Execution!;

    /// <summary>Holds it against another run: the same tensors perturbed, losses and adapters as near as this.</summary>
    internal void AssertNear(RunOutcome other, double tolerance)
    {
        Assert.Equal(other.Report.Steps.Select(step => string.Join(' ', step.Perturbed)), Report.Steps.Select(step => string.Join(' ', step.Perturbed)));
        Assert.All(Report.Steps.Zip(other.Report.Steps), pair =>
        {
            Assert.Equal(pair.Second.Loss, pair.First.Loss, tolerance);
            Assert.Equal(pair.Second.PerturbedLoss!.Value, pair.First.PerturbedLoss!.Value, tolerance);
            Assert.Equal(pair.Second.LearningRate, pair.First.LearningRate);
        });
        Assert.InRange(Values.Zip(other.Values).Max(pair => Math.Abs(pair.First - pair.Second)), 0, tolerance);
    }
}
