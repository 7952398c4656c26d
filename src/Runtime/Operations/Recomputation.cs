using static TorchSharp.torch;

namespace FlatPO.Recipes.Operations;

/// <summary>
/// While it is open on a thread, a layer keeps its input alone for backward, which computes the rest anew (gradient checkpointing, arXiv 1604.06174). Opened once a run.
/// </summary>
internal sealed class Recomputation : IDisposable
{
    [ThreadStatic]
    private static Recomputation? current;

    private readonly Recomputation? outer;
    private readonly Dictionary<object, bool> drawing = [];

    private Recomputation(Recomputation? outer) => this.outer = outer;

    /// <summary>The one that layers of this thread join; null where none is open, and where no gradient is wanted.</summary>
    internal static Recomputation? Current => current is not null && is_grad_enabled() ? current : null;

    /// <summary>Whether a layer drew at random: its second run then sets the device's generator back.</summary>
    internal bool DrawsAtRandom => drawing.ContainsValue(true);

    /// <summary>Opens one on this thread, until it is disposed.</summary>
    internal static Recomputation Open() => current = new Recomputation(current);

    /// <summary>Whether the layer drew at random when it first ran; null before. A layer does so each time or never.</summary>
    internal bool? Draws(object layer) => drawing.TryGetValue(layer, out bool draws) ? draws : null;

    /// <summary>Notes whether it did.</summary>
    internal void Note(object layer, bool draws) => drawing[layer] = draws;

    /// <inheritdoc/>
    public void Dispose() => current = outer;
}
