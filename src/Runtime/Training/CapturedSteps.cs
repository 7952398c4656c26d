using System.Diagnostics;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>
/// Runs the steps of a run, on a GPU as CUDA graphs: one for each signature of a window. The first window of a signature runs eagerly, which readies everything a recording must find in place;
/// the second is recorded and replayed, later ones are replayed. Everything happens on a side stream. Where a step cannot be recorded, it and all later ones run eagerly, with the same results.
/// </summary>
internal sealed class CapturedSteps<TBatch> : IDisposable
    where TBatch : IBatch
{
    /// <summary>The environment variable that turns recording off.</summary>
    internal const string Switch = "FLATPO_CAPTURE";

    private const int MostGraphs = 16;
    private const int MostSeen = 4096;

    private readonly Func<Window<TBatch>, StepReport> step;
    private readonly Device device;
    private readonly RowLengths lengths;
    private readonly CudaStreams.Scope? side;
    private readonly CudaGraphPool pool;
    private readonly GraphShelf<StepGraph<TBatch>> graphs = new(MostGraphs);
    private readonly Dictionary<string, bool> seen = new(StringComparer.Ordinal); // whether its passes drew at random
    private readonly Stopwatch capturing = new();
    private int captured, eager, recorded;
    private string? whyEager;

    /// <summary>Moves this thread to the device's side stream until it is disposed, where steps can be recorded.</summary>
    internal CapturedSteps(Func<Window<TBatch>, StepReport> step, Device device, RowLengths lengths)
    {
        (this.step, this.device, this.lengths, pool) = (step, device, lengths, new CudaGraphPool(device));
        whyEager = WhyNot(device);
        side = whyEager is null ? CudaStreams.OpenSide(device) : null;
    }

    /// <summary>How the steps so far were executed.</summary>
    internal Execution Execution => new(captured, eager, recorded, capturing.Elapsed, whyEager);

    /// <summary>The window of a step; its batches come in few sizes where steps are recorded.</summary>
    internal Window<TBatch> Window(IReadOnlyList<TBatch> batches, RunSeed seed) => new(side is null ? batches : batches.Rounded(lengths), seed);

    /// <summary>One step.</summary>
    internal StepReport Run(Window<TBatch> window)
    {
        if (whyEager is not null)
            return Eagerly(window);
        string signature = window.Signature();
        if (window.AfterFirstPass is not null) // which waits for the device
            return FirstOf(signature, window);
        if (!graphs.TryUse(signature, Step, out StepGraph<TBatch>? graph))
        {
            if (!seen.TryGetValue(signature, out bool draws))
                return FirstOf(signature, window);
            graph = graphs.MakeRoom(Step) ? Recorded(signature, window, draws) : null;
        }
        if (graph is null)
            return Eagerly(window);
        captured++;
        return graph.Replay(window);
    }

    /// <summary>Waits for the side stream, leaves it and frees the graphs.</summary>
    public void Dispose()
    {
        side?.Dispose();
        graphs.Dispose();
    }

    private long Step => captured + eager;

    private StepReport Eagerly(Window<TBatch> window)
    {
        eager++;
        return step(window);
    }

    private StepReport FirstOf(string signature, Window<TBatch> window)
    {
        RandomnessWatch watch = new(window.Draws, device);
        window.Watch = watch;
        StepReport report = Eagerly(window);
        if (seen.Count >= MostSeen)
            seen.Clear();
        seen[signature] = watch.HasDrawn;
        return report;
    }

    private StepGraph<TBatch>? Recorded(string signature, Window<TBatch> window, bool draws)
    {
        capturing.Start();
        try
        {
            CudaAllocator.Of(device)?.EmptyCache(); // graphs have memory of their own: what eager steps left would lie idle beside it
            StepGraph<TBatch> graph = StepGraph<TBatch>.Record(step, window, (device, pool), draws);
            graphs.Put(signature, Step, graph);
            recorded++;
            return graph;
        }
        catch (Exception error) // whatever it is, an eager step either does without it or throws it again
        {
            CudaStreams.Synchronize(CudaStreams.Current(pool.Device), pool.Device);
            graphs.Dispose(); // and their memory
            whyEager = $"a step could not be recorded: {error.Message.Split('\n')[0]}";
            return null;
        }
        finally
        {
            capturing.Stop();
        }
    }

    private static string? WhyNot(Device device) =>
        device.type != DeviceType.CUDA ? $"CUDA graphs need a CUDA device; the run is on {device}"
        : Environment.GetEnvironmentVariable(Switch) == "off" ? $"{Switch} is off"
        : !CudaStreams.TryBind(out string? reason) || !CudaGraph.TryBind(out reason) ? reason
        : null;
}

/// <summary>Seeds as an eager pass does, and sees whether anything was drawn then.</summary>
internal sealed class RandomnessWatch(RunSeed seed, Device device) : IPassWatch
{
    /// <summary>Whether some pass drew from the device's generator, or nobody can tell.</summary>
    internal bool HasDrawn { get; private set; }

    /// <inheritdoc/>
    public void Begin(int micro) => seed.Sow(micro, device);

    /// <inheritdoc/>
    public void End() => HasDrawn |= CudaRandom.Drawn(device) is not 0;
}
