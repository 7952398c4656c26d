namespace FlatPO.Recipes.Native;

/// <summary>
/// Whether this thread's kernels are being recorded into a graph, to be run again and again. What would be another number each time on the host cannot be: it says so here, and the step
/// runs eagerly.
/// </summary>
internal static class Recording
{
    [ThreadStatic]
    private static bool isOn;

    /// <summary>Kernels are recorded until the returned scope is left.</summary>
    internal static Scope Open()
    {
        isOn = true;
        return default;
    }

    /// <summary>Ends a recording, where there is one, because of <paramref name="reason"/>.</summary>
    internal static void Refuse(string reason)
    {
        if (isOn)
            throw new NotSupportedException(reason);
    }

    /// <summary>An open recording.</summary>
    internal readonly struct Scope : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => isOn = false;
    }
}
