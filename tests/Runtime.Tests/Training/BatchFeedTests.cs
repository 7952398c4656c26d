using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Tests.Backbones.Qwen25VL;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

public sealed class BatchFeedTests
{
    private const int Windows = 12;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Windows_come_in_their_order_as_they_are_collated_one_by_one()
    {
        using Adapted adapted = new();
        TokenExample[][][] windows = Texts(Windows);
        AssertFed(adapted.Backbone, windows, maxLength: 9);
    }

    [Fact]
    public void Batches_with_images_come_whole()
    {
        using MultimodalLM backbone = QwenVlCase.Load();
        AssertFed(backbone, Captions(backbone, Windows), maxLength: 0);
    }

    [SkippableFact]
    public void They_are_copied_before_their_memory_is_used_again_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        using MultimodalLM backbone = (MultimodalLM)BackboneLoader.Load(QwenVlCase.Folder, Devices.Cuda(), Precision.Float32);
        using Tensor large = randn(4096, 4096, ScalarType.BFloat16, backbone.Device);
        AssertFed(backbone, Captions(backbone, 5 * Windows), maxLength: 0, () =>
        {
            for (int i = 0; i < 20; i++) // the device falls behind
                large.mm(large).Dispose();
        });
    }

    [SkippableFact]
    public void Pinned_memory_is_taken_while_another_thread_records_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        Skip.IfNot(CudaStreams.TryBind(out reason) && CudaGraph.TryBind(out reason), reason);
        using var side = CudaStreams.OpenSide(Devices.Cuda());
        using Tensor number = zeros(1, float32, Devices.Cuda());
        CudaGraphPool pool = new(Devices.Cuda());
        using CudaGraph graph = CudaGraph.Begin(pool);
        number.add_(Scalars.One);
        Exception? error = null;
        Thread other = new(() => error = Record.Exception(() =>
        {
            using var scope = NewDisposeScope();
            zeros(20_000_000).pin_memory(); // more than was ever taken, so that the driver is asked
        }));
        other.Start();
        other.Join();
        graph.End();
        Assert.Null(error);
        graph.Replay();
        Assert.Equal(1, number.cpu().item<float>());
    }

    [Fact]
    public void What_goes_wrong_is_thrown_where_its_window_would_be_taken()
    {
        using Adapted adapted = new();
        TokenExample[][][] windows = Texts(4);
        windows[2] = [windows[2][0], [new TokenExample([7])]]; // the second micro-batch has a row that predicts nothing
        long before = LiveTensors.Count();
        using (BatchFeed<TokenExample, TokenBatch> feed = new(adapted.Backbone, 0, windows))
        {
            for (int i = 0; i < 2; i++)
                Release(feed.Next(default));
            RecipeException error = Assert.Throws<RecipeException>(() => feed.Next(default));
            Assert.Equal("FPO3011", error.Id);
            Assert.Contains(nameof(Collation), error.StackTrace, StringComparison.Ordinal); // from where it happened
            Assert.Equal("FPO3011", Assert.Throws<RecipeException>(() => feed.Next(default)).Id);
        }
        Assert.Equal(before, LiveTensors.Count());
    }

    [Fact]
    public void A_run_is_cancelled_while_it_waits_for_a_window()
    {
        using Adapted adapted = new();
        using ManualResetEventSlim asked = new(), go = new();
        using CancellationTokenSource source = new();
        using BatchFeed<TokenExample, TokenBatch> feed = new(adapted.Backbone, 0, Blocked());
        Assert.True(asked.Wait(Patience));
        source.CancelAfter(1);
        Assert.Equal(source.Token, Assert.Throws<OperationCanceledException>(() => feed.Next(source.Token)).CancellationToken);
        Assert.NotEqual(TimeSpan.Zero, feed.Waited);
        go.Set();
        Release(feed.Next(default)); // the window is still there

        IEnumerable<TokenExample[][]> Blocked()
        {
            asked.Set();
            go.Wait(Patience);
            yield return Texts(1)[0];
        }
    }

    [Fact]
    public void Few_windows_are_collated_ahead_and_none_is_left_behind()
    {
        using Adapted adapted = new();
        TokenExample[][][] windows = Texts(Windows);
        int begun = 0;
        long before = LiveTensors.Count();
        using (BatchFeed<TokenExample, TokenBatch> feed = new(adapted.Backbone, 0, windows.Select(Begun)))
        {
            Release(feed.Next(default));
            const int Full = 1 + BatchFeed<TokenExample, TokenBatch>.Ahead + 1; // one was taken, and one more is made before its place is free
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref begun) == Full, Patience), $"{begun} windows begun");
        }
        Assert.Equal(1 + BatchFeed<TokenExample, TokenBatch>.Ahead + 1, begun);
        Assert.Equal(before, LiveTensors.Count());

        TokenExample[][] Begun(TokenExample[][] window)
        {
            Interlocked.Increment(ref begun);
            return window;
        }
    }

    [Fact]
    public void A_run_leaves_no_batch_behind_however_it_ends()
    {
        using Adapted adapted = new();
        TokenExample[] examples = Adapted.Examples(24);
        Train(_ => { });
        long before = LiveTensors.Count();
        Train(_ => { });
        Train(_ => throw new InvalidOperationException("a step failed"));
        Assert.Equal(before, LiveTensors.Count());

        void Train(Action<Window<TokenBatch>> step)
        {
            TrainingLoop loop = new() { BatchSize = 3, GradientAccumulation = 2 };
            TrainingSteps<TokenExample, TokenBatch> steps = new(adapted.Backbone, Step, adapted.Optimizer, new ConstantSchedule());
            try
            {
                loop.Run(adapted.Placement, examples, steps, null, default);
            }
            catch (InvalidOperationException error) when (error.Message == "a step failed")
            {
            }

            StepReport Step(Window<TokenBatch> window)
            {
                step(window);
                return new StepReport(adapted.Pass(window));
            }
        }
    }

    /// <summary>What the feed gives is what the backbone collates, window by window; <paramref name="between"/> is done before each is taken.</summary>
    private static void AssertFed<TExample, TBatch>(Backbone<TExample, TBatch> backbone, TExample[][][] windows, int maxLength, Action? between = null)
        where TBatch : IBatch
    {
        using var scope = NewDisposeScope();
        using BatchFeed<TExample, TBatch> feed = new(backbone, maxLength, windows);
        List<TBatch> fed = [];
        foreach (TExample[][] _ in windows)
        {
            between?.Invoke();
            fed.AddRange(feed.Next(default));
        }
        TBatch[] expected = [.. windows.SelectMany(window => window.Select(micro => backbone.Collate(micro, maxLength, CPU)))];
        Assert.Equal(expected.Select(batch => batch.Supervised), fed.Select(batch => batch.Supervised));
        Assert.Equal(expected.SelectMany(Numbers), fed.SelectMany(Numbers));
        Assert.All(fed, batch => batch.Each(tensor =>
        {
            Assert.Equal(backbone.Device.type, tensor.device_type);
            return tensor;
        }));
    }

    private static List<string> Numbers<TBatch>(TBatch batch)
        where TBatch : IBatch
    {
        List<string> all = [];
        batch.Each(tensor =>
        {
            all.Add($"{tensor.dtype}[{string.Join(",", tensor.shape)}] {Convert.ToHexString(tensor.cpu().bytes)}");
            return tensor;
        });
        return all;
    }

    private static void Release(IReadOnlyList<TokenBatch> batches)
    {
        foreach (TokenBatch batch in batches)
            batch.Dispose();
    }

    private static TokenExample[][][] Texts(int count) => [.. Enumerable.Range(0, count).Select(window => Adapted.Examples(6, seed: window).Chunk(3).ToArray())];

    private static MultimodalExample[][][] Captions(MultimodalLM backbone, int count)
    {
        MultimodalExample[] rows = QwenVlBatches.Rows(backbone);
        return [.. Enumerable.Range(0, count).Select(window => new[] { new[] { rows[window % rows.Length] }, [rows[(window + 1) % rows.Length], rows[(window + 2) % rows.Length]] })];
    }
}
