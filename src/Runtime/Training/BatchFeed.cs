using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>
/// Collates the micro-batches of the windows to come on a thread of its own, a few windows ahead of the step that takes them, in their order; for a GPU into pinned memory, from which
/// copies to the device are queued and not waited for. What goes wrong there is thrown where the window would be taken.
/// </summary>
internal sealed class BatchFeed<TExample, TBatch> : IDisposable
    where TBatch : IBatch
{
    /// <summary>Windows that wait on the host at most; one more is in the making.</summary>
    internal const int Ahead = 2;

    private readonly Backbone<TExample, TBatch> backbone;
    private readonly int maxLength;
    private readonly bool pins;
    private readonly BlockingCollection<TBatch[]> ready = new(Ahead);
    private readonly CancellationTokenSource stop = new();
    private readonly Stopwatch waiting = new();
    private readonly Thread thread;
    private ExceptionDispatchInfo? failure;

    /// <summary>Starts on <paramref name="windows"/>, the examples of each micro-batch of each window; rows are cut at <paramref name="maxLength"/> tokens, 0 cuts none.</summary>
    internal BatchFeed(Backbone<TExample, TBatch> backbone, int maxLength, IEnumerable<TExample[][]> windows)
    {
        (this.backbone, this.maxLength, pins) = (backbone, maxLength, backbone.Device.type == DeviceType.CUDA);
        thread = new Thread(() => Fill(windows)) { IsBackground = true, Name = nameof(BatchFeed<,>) };
        thread.Start();
    }

    /// <summary>How long the training thread has waited for windows.</summary>
    internal TimeSpan Waited => waiting.Elapsed;

    /// <summary>
    /// The next window's micro-batches on the backbone's device, in the current dispose scope. Copies to a GPU are queued on the current stream and not waited for.
    /// </summary>
    internal IReadOnlyList<TBatch> Next(CancellationToken cancellation)
    {
        TBatch[] batches = Wait(cancellation);
        try
        {
            return [.. batches.Select(batch => (TBatch)batch.Each(OnDevice))];
        }
        finally
        {
            Release(batches); // libtorch gives pinned memory to nobody else before the copy from it has run
        }
    }

    /// <summary>Ends the thread and lets go of what nobody took.</summary>
    public void Dispose()
    {
        stop.Cancel();
        thread.Join();
        while (ready.TryTake(out TBatch[]? batches))
            Release(batches);
        ready.Dispose();
        stop.Dispose();
    }

    private TBatch[] Wait(CancellationToken cancellation)
    {
        waiting.Start();
        try
        {
            if (ready.TryTake(out TBatch[]? batches, Timeout.Infinite, cancellation))
                return batches;
        }
        finally
        {
            waiting.Stop();
        }
        failure?.Throw();
        throw new InvalidOperationException("every window has been taken");
    }

    private void Fill(IEnumerable<TExample[][]> windows)
    {
        try
        {
            if (pins)
                StreamCapture.IgnoreOtherThreads();
            foreach (TExample[][] window in windows)
                Put(Collated(window));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // disposed before the last window was taken
        }
        catch (Exception error) // whatever it is, it belongs to the thread that trains
        {
            failure = ExceptionDispatchInfo.Capture(error);
        }
        finally
        {
            ready.CompleteAdding();
        }
    }

    private void Put(TBatch[] batches)
    {
        try
        {
            ready.Add(batches, stop.Token);
        }
        catch (OperationCanceledException)
        {
            Release(batches);
            throw;
        }
    }

    // The scope is this thread's: it frees what is made on the way, and everything where a micro-batch fails.
    private TBatch[] Collated(TExample[][] window)
    {
        using var scope = NewDisposeScope();
        TBatch[] batches = [.. window.Select(micro => (TBatch)backbone.Collate(micro, maxLength, CPU).Each(Pinned))];
        foreach (TBatch batch in batches)
            batch.Each(tensor => tensor.DetachFromDisposeScope());
        return batches;
    }

    private Tensor Pinned(Tensor tensor) => pins ? tensor.pin_memory() : tensor;

    private Tensor OnDevice(Tensor tensor) => backbone.Device.type == DeviceType.CPU ? tensor.alias() : tensor.to(backbone.Device, non_blocking: true);

    private static void Release(TBatch[] batches)
    {
        foreach (TBatch batch in batches)
            batch.Dispose();
    }
}
