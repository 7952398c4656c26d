namespace FlatPO.Recipes.Native;

/// <summary>
/// Calls C++ functions whose exceptions would end the process: through a function of libtorch's C interface that calls one back and turns exceptions into a code, with no managed frame between.
/// </summary>
internal static unsafe class NativeShield
{
    private const string Name = "torch_parallel_for";

    private static readonly Lazy<IntPtr> Shield = new(() => TorchLibraries.TryFind("torch_cpu", Name, out IntPtr address) ? address : IntPtr.Zero);

    /// <summary>What is missing for it; null where it can be used.</summary>
    internal static string? Missing => Shield.Value == IntPtr.Zero ? $"this libtorch does not export {Name}" : null;

    /// <summary>Calls a function of one argument, which a member without arguments of the object at <paramref name="argument"/> is; true where it threw nothing.</summary>
    internal static bool TryCall(IntPtr function, IntPtr argument) =>
        // a range of one is run on this thread: function(argument, argument + 1, null), of which it reads the first
        ((delegate* unmanaged[Cdecl]<long, long, long, IntPtr, IntPtr, int>)Shield.Value)(argument, argument + 1, 1, function, IntPtr.Zero) == 0;
}
