using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>Bytes that libtorch's allocator holds on a device.</summary>
/// <param name="Allocated">In tensors now.</param>
/// <param name="PeakAllocated">The most there was in tensors.</param>
/// <param name="Reserved">Taken from the driver now: tensors, and what is kept for the next ones.</param>
/// <param name="PeakReserved">The most there was taken from the driver.</param>
public readonly record struct AllocatedMemory(long Allocated, long PeakAllocated, long Reserved, long PeakReserved);

/// <summary>
/// libtorch's caching allocator of a GPU (<c>c10/core/CachingDeviceAllocator.h</c>), which TorchSharp does not show. It has no C interface: its virtual functions are called
/// where they lie in the known layouts, and nothing is called in another one.
/// </summary>
public sealed unsafe partial class CudaAllocator
{
    // bytes from the beginning of DeviceStats; each statistic is three (all blocks, small, large) of four int64: current, peak, allocated, freed
    private const int AllocatedAt = 384, ReservedAt = 480, FailuresAt = 872;
    private const int StatisticsRoom = 1 << 13; // several times what DeviceStats takes
    private const int FirstOwnSlot = 5; // copy_data, the first of the pure virtual functions
    private const sbyte Cuda = 1; // c10::DeviceType
    private const long Known = 1 << 19; // bytes of a block that is never rounded up

    // How many virtual functions DeviceAllocator leaves to its heirs: 7 in libtorch 2.10 and 2.11, 9 where two more came before them.
    private static readonly int[] KnownLayouts = [7, 9];
    private static readonly ConcurrentDictionary<int, CudaAllocator?> Found = [];

    private readonly IntPtr self;
    private readonly sbyte index;
    private readonly int firstSlot; // of emptyCache; getDeviceStats, resetPeakStats and getMemoryInfo follow at known distances

    private CudaAllocator(IntPtr self, int index, int firstSlot) => (this.self, this.index, this.firstSlot) = (self, (sbyte)index, firstSlot);

    /// <summary>The allocator of a GPU; null for another device, and where this libtorch's is not of a known layout.</summary>
    public static CudaAllocator? Of(Device device) =>
        device.type == DeviceType.CUDA ? Found.GetOrAdd(Math.Max(0, device.index), static index => Find(index)) : null;

    /// <summary>What it holds.</summary>
    public AllocatedMemory Read()
    {
        long* statistics = stackalloc long[StatisticsRoom / sizeof(long)];
        ReadInto(statistics);
        return new AllocatedMemory(statistics[AllocatedAt / 8], statistics[(AllocatedAt / 8) + 1], statistics[ReservedAt / 8], statistics[(ReservedAt / 8) + 1]);
    }

    /// <summary>How often it had nothing to give, since the process began.</summary>
    internal long Failures()
    {
        long* statistics = stackalloc long[StatisticsRoom / sizeof(long)];
        ReadInto(statistics);
        return statistics[FailuresAt / 8];
    }

    /// <summary>Peaks are counted from now on.</summary>
    public void ResetPeaks() => ((delegate* unmanaged[Cdecl]<IntPtr, sbyte, void>)Slot(4))(self, index);

    /// <summary>Gives what no tensor uses back to the driver.</summary>
    public void EmptyCache() => ((delegate* unmanaged[Cdecl]<IntPtr, ulong, ulong, void>)Slot(0))(self, 0, 0); // {0, 0} are the pools of no graph

    /// <summary>Bytes that the device has free, and in all, as the driver says.</summary>
    public (long Free, long Total) OnDevice()
    {
        Pair pair = ((delegate* unmanaged[Cdecl]<IntPtr, sbyte, Pair>)Slot(5))(self, index);
        return ((long)pair.First, (long)pair.Second);
    }

    /// <summary>The slot of emptyCache in this libtorch's allocators; null where their layout is not known.</summary>
    internal static int? FindFirstSlot()
    {
        // What an heir must write itself is the same address in the table of the class, whatever the function: the run of them tells the layout.
        if (!TorchLibraries.TryFind("c10", "_ZTVN3c1015DeviceAllocatorE", out IntPtr symbol))
            return null;
        IntPtr* table = (IntPtr*)symbol + 2; // behind the offset and the type
        int count = 1;
        while (count <= KnownLayouts.Max() && table[FirstOwnSlot + count] == table[FirstOwnSlot])
            count++;
        return KnownLayouts.Contains(count) ? count : null;
    }

    private static CudaAllocator? Find(int index)
    {
        bool isKnown = OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64; // where structures are returned as Slot's callers expect
        if (!isKnown || FindFirstSlot() is not { } slot || !TorchLibraries.TryUseCuda(out _) || !TorchLibraries.TryFind("c10", "_ZN3c1012GetAllocatorERKNS_10DeviceTypeE", out IntPtr get))
            return null;
        sbyte type = Cuda;
        IntPtr self = ((delegate* unmanaged[Cdecl]<sbyte*, IntPtr>)get)(&type);
        if (self == IntPtr.Zero)
            return null;
        CudaAllocator allocator = new(self, index, slot);
        return allocator.CountsWhatIsAllocated() ? allocator : null;
    }

    // A tensor of known size is counted where it is made and where it goes.
    private bool CountsWhatIsAllocated()
    {
        Device here = device(DeviceType.CUDA, index);
        empty(1, uint8, here).Dispose(); // the device's part of the allocator is made at the first use
        AllocatedMemory before = Read(), with;
        using (empty(Known, uint8, here))
            with = Read();
        AllocatedMemory after = Read();
        return with.Allocated - before.Allocated == Known && after.Allocated == before.Allocated && with.PeakAllocated >= with.Allocated && with.Reserved >= with.Allocated;
    }

    // DeviceStats is larger than a register: the caller says where it goes, before the object.
    private void ReadInto(long* statistics) => ((delegate* unmanaged[Cdecl]<void*, IntPtr, sbyte, void*>)Slot(2))(statistics, self, index);

    private IntPtr Slot(int distance) => (*(IntPtr**)self)[firstSlot + distance];

    [StructLayout(LayoutKind.Sequential)]
    private struct Pair
    {
        public ulong First;
        public ulong Second;
    }
}
