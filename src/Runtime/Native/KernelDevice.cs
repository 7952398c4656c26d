using System.Collections.Concurrent;
using System.Globalization;

namespace FlatPO.Recipes.Native;

/// <summary>One GPU as the driver knows it, with the kernels of this library loaded.</summary>
internal sealed class KernelDevice
{
    private static readonly ConcurrentDictionary<int, Lazy<KernelDevice>> Opened = [];

    private readonly IntPtr context;
    private readonly Dictionary<string, IntPtr> modules;

    private KernelDevice(int index)
    {
        (int device, context) = KernelDriver.Open(index);
        Architecture = KernelDriver.Architecture(device);
        Version = int.Parse(Architecture.AsSpan(Architecture.IndexOf('_') + 1), CultureInfo.InvariantCulture);
        SharedMemory = KernelDriver.SharedMemory(device);
        (string Name, byte[] Cubin)[] programs = [.. KernelSource.All.AsParallel().Select(source => (source, KernelSource.Of(source).Cubin(Architecture)))];
        using KernelDriver.Current current = Enter();
        modules = programs.ToDictionary(program => program.Name, program => KernelDriver.Load(program.Cubin), StringComparer.Ordinal);
    }

    /// <summary>For example sm_90.</summary>
    internal string Architecture { get; }

    /// <summary>Its number, 90 of sm_90.</summary>
    internal int Version { get; }

    /// <summary>Bytes of shared memory that one block can ask for.</summary>
    internal int SharedMemory { get; }

    /// <summary>The device with this number; loads everything when it is asked for first, and throws what was in the way, each time.</summary>
    internal static KernelDevice Of(int index) => Opened.GetOrAdd(index, static number => new Lazy<KernelDevice>(() => new KernelDevice(number))).Value;

    /// <summary>Makes its context current on this thread until disposed.</summary>
    internal KernelDriver.Current Enter() => KernelDriver.Enter(context);

    internal IntPtr Module(string file) => modules[file];
}
