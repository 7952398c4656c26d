using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>The border between tensors and memory that is not libtorch's, such as a memory-mapped file.</summary>
internal static unsafe partial class ForeignMemory
{
    /// <summary>
    /// A CPU tensor over bytes that lie at <paramref name="address"/> in row-major order. Nothing is copied or owned: the memory must outlive the tensor and all
    /// its views, and is only to be read.
    /// </summary>
    internal static Tensor View(IntPtr address, ScalarType dtype, ReadOnlySpan<long> shape)
    {
        TorchLibraries.Require();
        Span<long> strides = stackalloc long[shape.Length];
        long stride = 1;
        for (int i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
        IntPtr handle;
        fixed (long* sizes = shape, steps = strides)
            if (aoti_torch_create_tensor_from_blob((void*)address, shape.Length, sizes, steps, 0, (int)dtype, 0, -1, out handle) != 0)
                throw new RecipeException("FPO4903", $"libtorch refused to view memory as {dtype}[{string.Join(", ", shape.ToArray())}]; its own words are on standard error");
        return Tensor.UnsafeCreateTensor(handle);
    }

    /// <summary>Where a tensor's first element lies. Valid while the tensor lives; its elements follow one another only if it is contiguous.</summary>
    internal static IntPtr Address(Tensor tensor)
    {
        TorchLibraries.Require();
        if (aoti_torch_get_data_ptr(tensor.Handle, out IntPtr address) != 0)
            throw new RecipeException("FPO4903", "libtorch gave no data pointer; its own words are on standard error");
        return address;
    }

    [LibraryImport("torch_cpu")]
    private static partial int aoti_torch_create_tensor_from_blob(
        void* data, long dimensions, long* sizes, long* strides, long offset, int dtype, int deviceType, int deviceIndex, out IntPtr tensor);

    [LibraryImport("torch_cpu")]
    private static partial int aoti_torch_get_data_ptr(IntPtr tensor, out IntPtr address);
}
