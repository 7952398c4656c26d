using System.Runtime.InteropServices;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Training;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training.Captured;

/// <summary>Runs whose steps are CUDA graphs beside the same runs kernel by kernel.</summary>
[Trait("Category", Golden.Category)]
public sealed class CapturedOnGpuTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;
    private static readonly int[] Mixed = [.. new Random(5).GetItems(Enumerable.Range(3, 12).ToArray(), 12)];
    private static readonly int[] Alike = [.. Enumerable.Repeat(11, 11)];

    public static TheoryData<string> All => Families.All;

    [SkippableTheory, MemberData(nameof(All))]
    public void A_captured_run_is_the_eager_one_on_a_gpu(string family)
    {
        RunOutcome captured = Compare(Golden.Backbone(family), Mixed, new ShortRun(new TrainingLoop { Epochs = 8, BatchSize = 3 }));
        Assert.Null(captured.Execution.WhyEager);
    }

    [SkippableTheory]
    [InlineData("opt"), InlineData("bert")]
    public void So_is_one_that_accumulates_on_a_gpu(string family)
    {
        RunOutcome captured = Compare(Golden.Backbone(family), Mixed, new ShortRun(new TrainingLoop { Epochs = 10, BatchSize = 2, GradientAccumulation = 3 }));
        Assert.Null(captured.Execution.WhyEager);
    }

    [SkippableTheory]
    [InlineData("qwen2", 1), InlineData("opt", 2)]
    public void So_is_one_with_dropout_in_its_adapters_on_a_gpu(string family, int accumulation)
    {
        RunOutcome captured = Compare(Golden.Backbone(family), Alike, new ShortRun(new TrainingLoop { Epochs = 6, BatchSize = 2, GradientAccumulation = accumulation }) { Dropout = 0.3 });
        Assert.Null(captured.Execution.WhyEager);
        Assert.NotEqual(captured.Report.Steps[^1].Loss, Run(Golden.Backbone(family), Alike, new ShortRun(new TrainingLoop { Epochs = 6, BatchSize = 2, GradientAccumulation = accumulation })).Report.Steps[^1].Loss);
    }

    [SkippableTheory]
    [InlineData("bert"), InlineData("opt_post")]
    public void So_is_one_with_dropout_in_its_backbone_on_a_gpu(string variant)
    {
        RunOutcome captured = Compare(Golden.Variant(variant), Alike, new ShortRun(new TrainingLoop { Epochs = 6, BatchSize = 3 }));
        Assert.Null(captured.Execution.WhyEager);
    }

    [SkippableTheory, MemberData(nameof(All))]
    public void So_is_one_whose_layers_are_run_again_in_backward_on_a_gpu(string family)
    {
        RunOutcome captured = Compare(Golden.Backbone(family), Mixed, new ShortRun(new TrainingLoop { Epochs = 8, BatchSize = 3, Checkpointing = true }));
        Assert.Null(captured.Execution.WhyEager);
        captured.AssertNear(Run(Golden.Backbone(family), Mixed, new ShortRun(new TrainingLoop { Epochs = 8, BatchSize = 3 })), Tolerance);
    }

    [SkippableFact]
    public void Dropout_in_layers_that_are_run_again_runs_eagerly_and_says_why_on_a_gpu()
    {
        RunOutcome refused = CompareEager(new ShortRun(new TrainingLoop { Epochs = 4, BatchSize = 3, Checkpointing = true }) { Dropout = 0.3 }, Alike); // other padding would draw other masks
        Assert.Contains("sets the generator back", refused.Execution.WhyEager);
    }

    [SkippableFact]
    public void So_is_one_that_perturbs_a_quantile_on_a_gpu()
    {
        RunOutcome captured = Compare(Golden.Backbone("llama"), Mixed, new ShortRun(new TrainingLoop { Epochs = 6, BatchSize = 3 }) { Select = (ranking, _) => ranking.AboveQuantile(0.9) });
        Assert.Null(captured.Execution.WhyEager);
    }

    [SkippableFact]
    public void Frequencies_that_depend_on_the_length_are_captured_for_each_length_on_a_gpu()
    {
        RunOutcome captured = Compare(Golden.Variant("llama_dynamic"), [20, 20, 18, 18, 20, 18], new ShortRun(new TrainingLoop { Epochs = 8, BatchSize = 1 }));
        Assert.Null(captured.Execution.WhyEager);
    }

    [SkippableFact]
    public void The_second_of_two_runs_is_captured_anew_on_a_gpu() =>
        Compare(Golden.Backbone("opt"), Mixed, new ShortRun(new TrainingLoop { Epochs = 5, BatchSize = 3 }) { Runs = 2 });

    [SkippableFact]
    public void A_random_selection_runs_eagerly_and_says_why_on_a_gpu()
    {
        ShortRun run = new(new TrainingLoop { Epochs = 4, BatchSize = 3 }) { Select = (ranking, seed) => ranking.Random(2, seed), Draws = true };
        RunOutcome refused = CompareEager(run);
        Assert.Contains("draws at random", refused.Execution.WhyEager);
    }

    [SkippableFact]
    public void A_step_that_waits_for_the_device_runs_eagerly_and_says_why_on_a_gpu()
    {
        RunOutcome refused = CompareEager(new ShortRun(new TrainingLoop { Epochs = 4, BatchSize = 3 }) { Between = loss => loss.item<float>() });
        Assert.StartsWith("a step could not be recorded", refused.Execution.WhyEager);
        Assert.Null(Run(Golden.Backbone("opt"), Mixed, new ShortRun(new TrainingLoop { Epochs = 4, BatchSize = 3 })).Execution.WhyEager); // and the next run is captured all the same
    }

    [SkippableFact]
    public void Memory_stays_where_it_is_over_2000_steps_on_a_gpu()
    {
        List<(long Bytes, long Tensors)> found = [];
        Look progress = new(step =>
        {
            if (step % 500 == 499)
                found.Add((FreeBytes(), DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount));
        });
        int[] twoLengths = [.. Enumerable.Range(0, 12).Select(i => i % 2 == 0 ? 5 : 11)]; // four sizes of steps, all of them met in the first 500
        RunOutcome run = Run(Golden.Backbone("opt"), twoLengths, new ShortRun(new TrainingLoop { Epochs = 500, BatchSize = 3 }) { Progress = progress });
        output.WriteLine($"{run.Execution}; {run.Report.Elapsed}; free and tensors: {string.Join(", ", found)}");
        Assert.InRange(run.Execution.CapturedSteps, 1900, 2000);
        Assert.All(found, look => Assert.Equal(found[0].Bytes, look.Bytes));
        Assert.All(found, look => Assert.True(look.Tensors <= found[0].Tensors)); // fewer: autograd's thread makes some that this one frees
    }

    private RunOutcome Compare(string folder, int[] lengths, ShortRun run)
    {
        RunOutcome captured = Run(folder, lengths, run), eager = Eager(folder, lengths, run);
        output.WriteLine($"{captured.Execution}; {captured.Report.Elapsed} captured, {eager.Report.Elapsed} eager; losses {captured.Report.Steps[0].Loss:f4} to {captured.Report.Steps[^1].Loss:f4}");
        Assert.InRange(captured.Execution.CapturedSteps, captured.Report.Steps.Count / 4, captured.Report.Steps.Count);
        captured.AssertNear(eager, Tolerance);
        return captured;
    }

    private static RunOutcome CompareEager(ShortRun run, int[]? lengths = null)
    {
        lengths ??= Mixed;
        RunOutcome refused = Run(Golden.Backbone("opt"), lengths, run);
        Assert.Equal(0, refused.Execution.CapturedSteps);
        refused.AssertNear(Eager(Golden.Backbone("opt"), lengths, run), Tolerance);
        return refused;
    }

    private static RunOutcome Eager(string folder, int[] lengths, ShortRun run)
    {
        Environment.SetEnvironmentVariable(CapturedSteps<Batches.TokenBatch>.Switch, "off");
        try
        {
            RunOutcome eager = Run(folder, lengths, run);
            Assert.Contains("is off", eager.Execution.WhyEager);
            return eager;
        }
        finally
        {
            Environment.SetEnvironmentVariable(CapturedSteps<Batches.TokenBatch>.Switch, null);
        }
    }

    private static RunOutcome Run(string folder, int[] lengths, ShortRun run)
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        return Families.Visit(folder, Devices.Cuda(), lengths, run);
    }

    // What the driver has left: what libtorch takes for a step, for graphs and for anything else is missing there.
    private static long FreeBytes()
    {
        cuda.synchronize();
        foreach (string name in (string[])["libcudart.so.13", "libcudart.so.12"])
            if (NativeLibrary.TryLoad(name, out IntPtr library) && NativeLibrary.TryGetExport(library, "cudaMemGetInfo", out IntPtr address))
            {
                Assert.Equal(0, Marshal.GetDelegateForFunctionPointer<MemGetInfo>(address)(out nuint free, out _));
                return (long)free;
            }
        throw new SkipException("no libcudart is loaded");
    }

    private delegate int MemGetInfo(out nuint free, out nuint total);

    private sealed class Look(Action<int> at) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => at(value.Record.Step);
    }
}
