using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

public sealed class TrainingLoopTests
{
    private static readonly TrainingLoop TwoEpochs = new() { Epochs = 2, BatchSize = 3, GradientAccumulation = 2, Seed = 5 };

    [Fact]
    public void The_learning_rate_in_force_follows_the_schedule()
    {
        using Adapted adapted = new();
        CosineSchedule schedule = new() { WarmupRatio = 0.2 };
        TrainingReport report = Run(adapted, TwoEpochs, Adapted.Examples(13), schedule);
        Assert.Equal(6, report.Steps.Count); // 13 examples by 6 are 3 windows an epoch
        Assert.Equal(Enumerable.Range(0, 6).Select(step => 1e-2 * schedule.Factor(step, 6)), report.Steps.Select(step => step.LearningRate));
        Assert.All(report.Steps, step => Assert.Equal(step.PerturbedLoss - step.Loss, step.Sharpness));
    }

    [Fact]
    public void Training_lowers_the_loss_of_what_it_trains_on()
    {
        using Adapted adapted = new();
        TokenExample[] examples = Adapted.Examples(8);
        Evaluator evaluator = new(adapted.Placement, adapted.Arena);
        double before = evaluator.Evaluate(adapted.Backbone, examples).Loss;
        Run(adapted, new TrainingLoop { Epochs = 20, BatchSize = 4 }, examples, new ConstantSchedule());
        Assert.InRange(evaluator.Evaluate(adapted.Backbone, examples).Loss, 0, 0.9 * before);
    }

    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        int[] Final(int seed)
        {
            using Adapted adapted = new(dropout: 0.1);
            Run(adapted, new TrainingLoop { Epochs = 1, BatchSize = 3, Seed = seed }, Adapted.Examples(12), new ConstantSchedule());
            return adapted.Arena.Values.Bits();
        }
        Assert.Equal(Final(1), Final(1));
        Assert.NotEqual(Final(1), Final(2));
    }

    [Fact]
    public void Every_example_is_seen_once_an_epoch_in_an_order_of_its_own()
    {
        int[] first = RunSeed.Shuffle(50, seed: 1, epoch: 0), second = RunSeed.Shuffle(50, seed: 1, epoch: 1);
        Assert.Equal(Enumerable.Range(0, 50), first.Order());
        Assert.Equal(Enumerable.Range(0, 50), second.Order());
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void A_cancelled_run_stops_between_steps_with_unperturbed_weights()
    {
        using Adapted adapted = new();
        using CancellationTokenSource source = new();
        source.Cancel();
        int[] before = adapted.Arena.Values.Bits();
        Assert.Throws<OperationCanceledException>(() => { Run(adapted, TwoEpochs, Adapted.Examples(6), new ConstantSchedule(), source.Token); });
        Assert.Equal(before, adapted.Arena.Values.Bits());
    }

    [Fact]
    public void A_run_that_diverges_says_at_which_step()
    {
        using Adapted adapted = new(optimizer: arena => new Sgd(arena) { LearningRate = 1e30 });
        RecipeException error = Assert.Throws<RecipeException>(() => { Run(adapted, TwoEpochs, Adapted.Examples(6), new ConstantSchedule()); });
        Assert.Equal("FPO2101", error.Id);
        Assert.Contains("step 1", error.Message);
    }

    [Fact]
    public void No_examples_is_an_error()
    {
        using Adapted adapted = new();
        RecipeException error = Assert.Throws<RecipeException>(() => { Run(adapted, TwoEpochs, [], new ConstantSchedule()); });
        Assert.Equal("FPO3010", error.Id);
    }

    [Fact]
    public void An_id_outside_the_vocabulary_is_an_error_that_names_the_example_and_what_is_allowed()
    {
        using Adapted adapted = new();
        long vocabulary = adapted.Backbone.Config.Int("vocab_size");
        Fails(adapted, "FPO3013", $"example 1 has token id {vocabulary}; allowed are 0 to {vocabulary - 1}", new TokenExample([5, 6, 7]), new TokenExample([5, (int)vocabulary]));
        Fails(adapted, "FPO3013", "example 0 has label -7", new TokenExample([5, 6], [-100, -7]));
    }

    [Fact]
    public void A_row_longer_than_the_positions_is_an_error_before_anything_runs()
    {
        using Adapted adapted = new();
        int limit = (int)adapted.Backbone.LongestRow!.Value;
        Fails(adapted, "FPO3006", $"example 0 has {limit + 1} tokens; the backbone has positions for {limit}", new TokenExample([.. Enumerable.Repeat(7, limit + 1)]));
    }

    [Fact]
    public void A_step_that_teaches_nothing_is_an_error()
    {
        using Adapted adapted = new();
        Fails(adapted, "FPO3014", "no position of the step's 1 micro-batches carries a label", new TokenExample([5, 6, 7], [5, -100, -100]));
    }

    private static void Fails(Adapted adapted, string id, string words, params TokenExample[] examples)
    {
        int[] before = adapted.Arena.Values.Bits();
        RecipeException error = Assert.Throws<RecipeException>(() => { Run(adapted, TwoEpochs, examples, new ConstantSchedule()); });
        Assert.Equal(id, error.Id);
        Assert.Contains(words, error.Message);
        Assert.Equal(before, adapted.Arena.Values.Bits());
    }

    [Fact]
    public void Evaluation_drops_nothing_and_weighs_every_prediction_once()
    {
        using Adapted adapted = new(dropout: 0.5);
        adapted.BaseStep(Adapted.Window(Adapted.Examples(4), 4));
        TokenExample[] examples = Adapted.Examples(7);
        Evaluation one = new Evaluator(adapted.Placement, adapted.Arena) { BatchSize = 7 }.Evaluate(adapted.Backbone, examples);
        Evaluation three = new Evaluator(adapted.Placement, adapted.Arena) { BatchSize = 3 }.Evaluate(adapted.Backbone, examples);
        Assert.Equal(one.Loss, three.Loss, 1e-5);
        Assert.Equal((one.Accuracy, one.Predictions), (three.Accuracy, three.Predictions));
        Assert.Equal(examples.Sum(example => example.InputIds.Count - 1), one.Predictions);
    }

    private static TrainingReport Run(Adapted adapted, TrainingLoop loop, TokenExample[] examples, LearningRateSchedule schedule, CancellationToken cancellation = default)
    {
        StepReport Step(Window<TokenBatch> window)
        {
            Tensor clean = adapted.Pass(window);
            Selection sharp = adapted.Ranking.Sharpest(2);
            Tensor perturbed;
            using (adapted.Arena.Climb(sharp, 0.05))
                perturbed = adapted.Pass(window);
            adapted.Optimizer.Step();
            return new StepReport(clean, perturbed, sharp);
        }
        return loop.Run(adapted.Placement, examples, new TrainingSteps<TokenExample, TokenBatch>(adapted.Backbone, Step, adapted.Optimizer, schedule), null, cancellation);
    }
}
