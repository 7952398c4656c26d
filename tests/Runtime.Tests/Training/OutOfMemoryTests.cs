using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Operations;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>A step that the memory is too small for: what the run says, and that it can go on afterwards.</summary>
public sealed class OutOfMemoryTests
{
    private const long TooMany = 1L << 50; // bytes that no machine has

    private static readonly TrainingLoop Loop = new()
    {
        BatchSize = 8,
        GradientAccumulation = 2,
        MaxLength = 256,
        Planned = new PlannedMemory(Rows: 4, Length: 128, Weights: 1L << 30, Batch: 2L << 30, Total: 3L << 30) { Recomputable = 5L << 28 },
    };

    [Fact]
    public void It_says_what_was_asked_for_what_was_planned_and_what_frees_most()
    {
        using Adapted adapted = new();
        RecipeException error = Fails(adapted, Loop, (batch, count) => Greedy(adapted.Backbone.Loss(batch, count)));
        Assert.StartsWith("FPO2103: step 1 ran out of memory on cpu: it asked for 1.00 PiB where ", error.Message);
        Assert.Contains("planned were 3.00 GiB for 4 rows of 128 tokens", error.Message);
        // twice the rows and twice the tokens of the plan: 8 GiB grow with the batch, of which 5 can be computed anew, and halving the rows halves them; in half the width so do the weights
        Assert.Contains("What frees most: Checkpointing = true (about 5.00 GiB); Precision = Precision.BFloat16 (about 4.50 GiB); BatchSize = 4 with GradientAccumulation = 4 (about 4.00 GiB).", error.Message);
    }

    [Fact]
    public void Without_a_plan_it_names_the_settings_alone()
    {
        using Adapted adapted = new();
        RecipeException error = Fails(adapted, new TrainingLoop { BatchSize = 3 }, (batch, count) => Greedy(adapted.Backbone.Loss(batch, count)));
        Assert.Contains("nothing was planned. What frees most: BatchSize = 2 with GradientAccumulation = 2; Checkpointing = true; Precision = Precision.BFloat16.", error.Message);
    }

    [Fact]
    public void It_does_so_where_an_operation_s_backward_finds_none()
    {
        using Adapted adapted = new();
        RecipeException error = Fails(adapted, Loop, (batch, count) => new GreedyBackward().Run(adapted.Backbone.Loss(batch, count))[0]);
        Assert.Contains("it asked for 1.00 PiB", error.Message);
    }

    [Fact]
    public void Another_error_stays_what_it_is()
    {
        using Adapted adapted = new();
        Assert.Throws<InvalidDataException>(() => { Train(adapted, Loop, Adapted.Examples(16), (_, _) => throw new InvalidDataException()); });
    }

    [SkippableFact]
    public void A_smaller_batch_trains_after_it_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        const long Left = 1L << 30; // bytes; libraries that load on the way need some hundred million of them
        const int Rows = 1 << 17;
        Device device = Devices.Cuda();
        using Adapted adapted = new(device: device);
        CudaAllocator allocator = CudaAllocator.Of(device)!;
        GC.Collect(); // what tests before this one left behind would be freed on the way
        GC.WaitForPendingFinalizers();
        allocator.EmptyCache();
        using Tensor ballast = empty(allocator.OnDevice().Free - Left, uint8, device);
        int[] before = adapted.Arena.Values.cpu().Bits();
        TokenExample[] examples = [.. Adapted.Examples(64).SelectMany(example => Enumerable.Repeat(example, Rows / 64))];

        RecipeException error = Assert.Throws<RecipeException>(() => { Train(adapted, new TrainingLoop { BatchSize = Rows }, examples, adapted.Backbone.Loss); });
        Assert.Equal("FPO2103", error.Id);
        Assert.Contains("ran out of memory on cuda", error.Message);
        Assert.Equal(before, adapted.Arena.Values.cpu().Bits());
        Assert.InRange(allocator.OnDevice().Free, Left / 2, 2 * Left); // what libraries gave back by the way is no fault

        TrainingReport report = Train(adapted, new TrainingLoop { BatchSize = 4 }, Adapted.Examples(16), adapted.Backbone.Loss);
        Assert.All(report.Steps, step => Assert.True(double.IsFinite(step.Loss)));
        Assert.InRange(report.Memory!.PeakAllocatedBytes, ballast.NumberOfElements, ballast.NumberOfElements + Left);
        Assert.True(report.Memory.PeakReservedBytes >= report.Memory.PeakAllocatedBytes);
    }

    // The second step fails, in the pass at the sharp point; a run that fits trains on.
    private static RecipeException Fails(Adapted adapted, TrainingLoop loop, Func<TokenBatch, Tensor, Tensor> loss)
    {
        int passes = 0, perPass = loop.GradientAccumulation;
        int[] before = [];
        RecipeException error = Assert.Throws<RecipeException>(() =>
        {
            Train(adapted, loop, Adapted.Examples(2 * loop.BatchSize * loop.GradientAccumulation), (batch, count) =>
            {
                int pass = passes++ / perPass; // two a step
                if (pass == 2 && before.Length == 0)
                    before = adapted.Arena.Values.Bits();
                return pass == 3 ? loss(batch, count) : adapted.Backbone.Loss(batch, count);
            });
        });
        Assert.Equal("FPO2103", error.Id);
        Assert.Equal(before, adapted.Arena.Values.Bits());
        TrainingReport report = Train(adapted, new TrainingLoop { BatchSize = 4 }, Adapted.Examples(8), adapted.Backbone.Loss);
        Assert.Equal(2, report.Steps.Count);
        Assert.Null(report.Memory);
        return error;
    }

    private static Tensor Greedy(Tensor loss)
    {
        using Tensor much = empty(TooMany, uint8, loss.device);
        return loss;
    }

    private static TrainingReport Train(Adapted adapted, TrainingLoop loop, TokenExample[] examples, Func<TokenBatch, Tensor, Tensor> loss)
    {
        StepReport Step(Window<TokenBatch> window)
        {
            Tensor clean = window.Pass(adapted.Arena, loss), perturbed;
            using (adapted.Arena.Climb(adapted.Ranking.All(), 0.05))
                perturbed = window.Pass(adapted.Arena, loss);
            adapted.Optimizer.Step();
            return new StepReport(clean, perturbed);
        }
        return loop.Run(adapted.Placement, examples, new TrainingSteps<TokenExample, TokenBatch>(adapted.Backbone, Step, adapted.Optimizer, new ConstantSchedule()), null, default);
    }

    private sealed class GreedyBackward : Operation
    {
        protected override Tensor[] Forward(Tensor?[] inputs) => [inputs[0]!.clone()];

        protected override Tensor?[] Backward(Tensor?[] gradients) => [Greedy(gradients[0]!.clone())];
    }
}
