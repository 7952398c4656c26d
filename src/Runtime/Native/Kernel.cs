using System.Collections.Concurrent;

namespace FlatPO.Recipes.Native;

/// <summary>Runs a kernel on tensors of the CPU; the arguments are addresses of what is given.</summary>
internal unsafe delegate void KernelLaunch((string File, string Function) kernel, (uint X, uint Y, uint Z) grid, uint block, uint sharedBytes, void** arguments);

/// <summary>
/// One function of a <see cref="KernelSource"/>, on whatever device its tensors lie. The caller has asked <see cref="Kernels"/>, and gives tensors that are as the function expects them: nothing is
/// checked here. A launch waits for nothing and can be captured.
/// </summary>
internal sealed class Kernel
{
    private static readonly ConcurrentDictionary<(string File, string Function), Kernel> Known = [];

    private readonly string file;
    private readonly string function;
    private readonly ConcurrentDictionary<int, IntPtr> functions = [];
    private readonly ConcurrentDictionary<int, uint> allowed = [];

    private Kernel((string File, string Function) name) => (file, function) = name;

    /// <summary>The function (<c>extern "C" __global__</c>) of a source with a name such as <c>norm.cu</c>.</summary>
    internal static Kernel Of(string file, string function) => Known.GetOrAdd((file, function), static name => new Kernel(name));

    /// <summary>Runs it on libtorch's current stream of the device of the first tensor.</summary>
    internal unsafe void Launch((uint X, uint Y, uint Z) grid, uint block, uint sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        ulong* values = stackalloc ulong[arguments.Length];
        void** addresses = stackalloc void*[arguments.Length];
        int device = -1;
        for (int i = 0; i < arguments.Length; i++)
        {
            values[i] = arguments[i].Bits;
            addresses[i] = &values[i];
            device = device < 0 ? arguments[i].Device : device;
        }
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0)
            return;
        if (device < 0)
        {
            KernelLaunch launch = Kernels.InPlaceOfDevice ?? throw new ArgumentException($"{function} of {file} was given no tensor of a device", nameof(arguments));
            launch((file, function), grid, block, sharedBytes, addresses);
            return;
        }
        KernelDevice on = KernelDevice.Of(device);
        using KernelDriver.Current current = on.Enter();
        IntPtr loaded = functions.GetOrAdd(device, _ => KernelDriver.Function(on.Module(file), function));
        if (sharedBytes > Kernels.SharedMemoryOfAll && allowed.GetValueOrDefault(device) < sharedBytes)
        {
            KernelDriver.Allow(loaded, sharedBytes);
            allowed[device] = sharedBytes;
        }
        KernelDriver.Launch(loaded, device, grid, block, sharedBytes, addresses);
    }
}
