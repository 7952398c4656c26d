using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>One argument of a kernel: a tensor is the address of its first element (null: no tensor), a number itself.</summary>
internal readonly struct KernelArgument
{
    private KernelArgument(ulong bits, int device) => (Bits, Device) = (bits, device);

    /// <summary>Its bytes, the lowest first.</summary>
    internal ulong Bits { get; }

    /// <summary>The number of a tensor's device; −1 for a tensor of the CPU and for a number.</summary>
    internal int Device { get; }

    public static implicit operator KernelArgument(Tensor? tensor) => tensor is null ? new(0, -1) : new((ulong)ForeignMemory.Address(tensor), tensor.device_type == DeviceType.CUDA ? tensor.device_index : -1);

    public static implicit operator KernelArgument(long number) => new((ulong)number, -1);

    public static implicit operator KernelArgument(int number) => new((uint)number, -1);

    public static implicit operator KernelArgument(float number) => new(Unsafe.BitCast<float, uint>(number), -1);
}
