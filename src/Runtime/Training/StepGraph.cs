using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>
/// A step of one window's sizes, recorded: one graph, or where dropout acts one for each pass over a micro-batch. Seeding is not possible inside a graph, so the recording is cut where an eager
/// step seeds libtorch's generators, and a replay seeds them there: both draw the same masks, and so do both passes of a step.
/// </summary>
internal sealed class StepGraph<TBatch> : IPassWatch, IDisposable
    where TBatch : IBatch
{
    private readonly List<(int? Micro, CudaGraph Graph)> parts = [];
    private readonly Device device;
    private readonly CudaGraphPool pool;
    private readonly bool cut;
    private readonly Window<TBatch> held;
    private StepReport? report;

    private StepGraph(Window<TBatch> like, Device device, CudaGraphPool pool, bool cut)
    {
        (this.device, this.pool, this.cut) = (device, pool, cut);
        held = like.Held(device, this);
    }

    /// <summary>Records a step over windows like the given one, without running it; <paramref name="cut"/> where its passes draw at random. The thread must be on a side stream.</summary>
    internal static StepGraph<TBatch> Record(Func<Window<TBatch>, StepReport> step, Window<TBatch> like, (Device Device, CudaGraphPool Pool) on, bool cut)
    {
        StepGraph<TBatch> graph = new(like, on.Device, on.Pool, cut);
        try
        {
            graph.Record(step);
            return graph;
        }
        catch (Exception)
        {
            graph.Dispose();
            throw;
        }
    }

    /// <summary>Runs the step over a window of the same signature. What it reports is its own: the next replay does not touch it.</summary>
    internal StepReport Replay(Window<TBatch> window)
    {
        held.Take(window);
        foreach ((int? micro, CudaGraph graph) in parts)
        {
            if (micro is { } number)
                window.Draws.Sow(number, device);
            graph.Replay();
        }
        StepReport found = report!;
        return new StepReport(found.Clean.clone(), found.Perturbed?.clone(), found.Sharp is { } sharp ? sharp with { Mask = sharp.Mask.clone() } : null);
    }

    /// <inheritdoc/>
    public void Begin(int micro)
    {
        if (!cut)
            return;
        parts[^1].Graph.End();
        parts.Add((micro, CudaGraph.Begin(pool)));
    }

    /// <inheritdoc/>
    public void End()
    {
    }

    /// <summary>Frees the graphs, whose kernels must have run.</summary>
    public void Dispose()
    {
        foreach ((_, CudaGraph graph) in parts)
            graph.Dispose();
        foreach (Tensor? kept in Kept(report))
            kept?.Dispose();
        held.Release();
    }

    private void Record(Func<Window<TBatch>, StepReport> step)
    {
        using var scope = NewDisposeScope();
        using var recording = Recording.Open();
        parts.Add((null, CudaGraph.Begin(pool)));
        StepReport found = step(held);
        foreach (Tensor? kept in Kept(found))
            kept?.DetachFromDisposeScope();
        report = found;
        parts[^1].Graph.End();
    }

    private static Tensor?[] Kept(StepReport? report) => [report?.Clean, report?.Perturbed, report?.Sharp?.Mask];
}
