using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Native;

public sealed class CudaAllocatorTests
{
    private const long Block = 8L << 20; // bytes

    [Fact]
    public void The_layout_of_this_libtorch_s_allocators_is_known() => Assert.Equal(7, CudaAllocator.FindFirstSlot());

    [Fact]
    public void The_cpu_has_none() => Assert.Null(CudaAllocator.Of(CPU));

    [SkippableFact]
    public void It_counts_and_frees_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        Device device = Devices.Cuda();
        CudaAllocator allocator = CudaAllocator.Of(device)!;
        allocator.EmptyCache();
        allocator.ResetPeaks();
        AllocatedMemory before = allocator.Read();
        Assert.Equal(before.Allocated, before.PeakAllocated);

        Tensor held = empty(Block, uint8, device);
        AllocatedMemory with = allocator.Read();
        (long free, long total) = allocator.OnDevice();
        held.Dispose();
        AllocatedMemory after = allocator.Read();

        Assert.InRange(with.Allocated - before.Allocated, Block, 2 * Block);
        Assert.Equal((before.Allocated, with.Allocated), (after.Allocated, after.PeakAllocated));
        Assert.InRange(with.Reserved, with.Allocated, total);
        Assert.InRange(free, 1, total);

        allocator.EmptyCache();
        Assert.InRange(allocator.Read().Reserved, before.Allocated, after.Reserved - Block);
        Assert.Equal(after.PeakReserved, allocator.Read().PeakReserved);
        allocator.ResetPeaks();
        Assert.Equal(allocator.Read().Allocated, allocator.Read().PeakAllocated);
        Assert.True(allocator.Read().PeakReserved < after.PeakReserved);
    }

    [SkippableFact]
    public void It_counts_what_it_could_not_give_on_a_gpu()
    {
        Skip.IfNot(TorchLibraries.TryUseCuda(out string? reason), reason);
        CudaAllocator allocator = CudaAllocator.Of(Devices.Cuda())!;
        long before = allocator.Failures();
        Assert.ThrowsAny<Exception>(() => empty(1L << 50, uint8, Devices.Cuda()));
        Assert.True(allocator.Failures() > before);
    }
}
