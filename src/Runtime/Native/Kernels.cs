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
    private const string Variable = "FLATPO_KERNELS";
    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, string?> Reasons = [];
    private static bool disabled = string.Equals(Environment.GetEnvironmentVariable(Variable), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>Why a GPU does without kernels, for the first that has to: one line; null while nothing is in the way.</summary>
    internal static string? Reason { get; private set; }

    /// <summary>Whether kernels can run where a tensor lies. The first question for a device compiles and loads them all.</summary>
    internal static bool Usable(Tensor tensor, [NotNullWhen(false)] out string? reason)
    {
        if (tensor.device_type != DeviceType.CUDA)
            reason = "the tensor is not on a CUDA device";
        else
            reason = disabled ? $"{Variable}=off" : ReasonOf(tensor.device_index);
        return reason is null;
    }

    /// <summary>Whether kernels can run where a tensor lies.</summary>
    internal static bool Usable(Tensor tensor) => Usable(tensor, out _);

    /// <summary>Bytes of shared memory that one block can ask for where a tensor lies.</summary>
    internal static int SharedMemory(Tensor tensor) => KernelDevice.Of(tensor.device_index).SharedMemory;

    /// <summary>Loads them on a device now: no module can be loaded while a CUDA graph is captured.</summary>
    internal static void Warm(Device device)
    {
        if (device.type == DeviceType.CUDA && !disabled)
            _ = ReasonOf(Math.Max(0, device.index));
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

    private sealed class Switch(bool before) : IDisposable
    {
        public void Dispose() => disabled = before;
    }
}
