using System.Diagnostics.CodeAnalysis;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>
/// Whether kernels of our own can run. They are compiled on the machine they run on; where that cannot be, what they compute is composed of libtorch's operators.
/// <c>FLATPO_KERNELS=off</c> does without them.
/// </summary>
internal static class Kernels
{
    /// <summary>Bytes of shared memory that a block may have of every device without being allowed to.</summary>
    internal const int SharedMemoryOfAll = 48 << 10;

    private const string Variable = "FLATPO_KERNELS";
    private const int FirstWithBFloat16 = 80;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, string?> Reasons = [];
    private static bool disabled = string.Equals(Environment.GetEnvironmentVariable(Variable), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>Why a GPU does without kernels, for the first that has to: one line; null while nothing is in the way.</summary>
    internal static string? Reason { get; private set; }

    /// <summary>Whether kernels can run where a tensor lies. The first question for a device compiles and loads them all.</summary>
    internal static bool Usable(Tensor tensor, [NotNullWhen(false)] out string? reason)
    {
        if (tensor.device_type != DeviceType.CUDA)
            reason = InPlaceOfDevice is null ? "the tensor is not on a CUDA device" : null;
        else
            reason = disabled ? $"{Variable}=off" : ReasonOf(tensor.device_index);
        return reason is null;
    }

    /// <summary>Whether kernels can run where a tensor lies.</summary>
    internal static bool Usable(Tensor tensor) => Usable(tensor, out _);

    /// <summary>Whether kernels that multiply matrices of bfloat16 can run where a tensor lies: on sm_80 and newer.</summary>
    internal static bool MultiplyMatrices(Tensor tensor) => Usable(tensor) && (tensor.device_type != DeviceType.CUDA || KernelDevice.Of(tensor.device_index).Version >= FirstWithBFloat16);

    /// <summary>Bytes of shared memory that one block can ask for where a tensor lies.</summary>
    internal static int SharedMemory(Tensor tensor) => tensor.device_type == DeviceType.CUDA ? KernelDevice.Of(tensor.device_index).SharedMemory : SharedMemoryOfAll;

    /// <summary>Loads them on a device now: no module can be loaded while a CUDA graph is captured.</summary>
    internal static void Warm(Device device)
    {
        if (device.type == DeviceType.CUDA && !disabled)
            _ = ReasonOf(Math.Max(0, device.index));
    }

    /// <summary>What runs this thread's kernels on tensors of the CPU; null where nothing does, and operations there are composed.</summary>
    [field: ThreadStatic]
    internal static KernelLaunch? InPlaceOfDevice { get; private set; }

    /// <summary>Runs kernels of this thread by <paramref name="launch"/> on tensors of the CPU until disposed: they can be tested without a GPU.</summary>
    internal static IDisposable RunBy(KernelLaunch launch)
    {
        InPlaceOfDevice = launch;
        return new Stand();
    }

    /// <summary>Does without kernels until disposed, as FLATPO_KERNELS=off does.</summary>
    internal static IDisposable Off()
    {
        bool before = disabled;
        disabled = true;
        return new Switch(before);
    }

    private static string? ReasonOf(int device)
    {
        lock (Gate)
        {
            if (Reasons.TryGetValue(device, out string? known))
                return known;
            string? reason = Load(device);
            if (reason is not null && Reason is null)
                Reason = $"kernels are composed of libtorch's operators on cuda:{device}: {reason}";
            return Reasons[device] = reason;
        }
    }

    private static string? Load(int device)
    {
        try
        {
            _ = KernelDevice.Of(device);
            return null;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or InvalidOperationException)
        {
            return error.Message;
        }
        catch (AggregateException error)
        {
            return error.InnerExceptions[0].Message; // of the first source that does not compile
        }
    }

    private sealed class Stand : IDisposable
    {
        public void Dispose() => InPlaceOfDevice = null;
    }

    private sealed class Switch(bool before) : IDisposable
    {
        public void Dispose() => disabled = before;
    }
}
