using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Native;

/// <summary>What a product's numbers go through before they are written (<c>cublasLtEpilogue_t</c>).</summary>
internal enum Epilogue
{
    /// <summary>max(0, ·), and a bit each in a mask: whether it was above 0.</summary>
    Relu = 130,

    /// <summary>The same once a bias has been added.</summary>
    ReluOfBias = 134,
}

/// <summary>The sizes of a product x Wᵀ: x [rows, in] to [rows, out].</summary>
internal readonly record struct ProductShape(int Device, long Rows, long In, long Out, Epilogue Epilogue);

/// <summary>A product of 16-bit matrices with an epilogue, in one kernel of <see cref="CublasLt"/>; made once for a shape, for any tensors of it.</summary>
internal sealed class EpilogueProduct
{
    /// <summary>What the address of every tensor must be a multiple of, as every tensor's is that libtorch has allocated by itself.</summary>
    internal const long Alignment = 256;

    private const long MaskRun = 128; // bits: a row of the mask is a multiple of them

    private static readonly ConcurrentDictionary<ProductShape, Lazy<EpilogueProduct?>> Known = [];

    private readonly Lock gate = new();
    private readonly ProductShape shape;
    private readonly IntPtr handle;
    private readonly IntPtr product;
    private readonly (IntPtr A, IntPtr B, IntPtr D) matrices;
    private readonly CublasLt.Choice choice;
    private readonly bool isPossible;

    private EpilogueProduct(ProductShape shape)
    {
        this.shape = shape;
        handle = CublasLt.Handle(shape.Device);
        product = CublasLt.Product((int)shape.Epilogue, MaskBits(shape.Out));
        matrices = (CublasLt.Matrix(shape.In, shape.Out), CublasLt.Matrix(shape.In, shape.Rows), CublasLt.Matrix(shape.Out, shape.Rows));
        CublasLt.Point(product, shape.Epilogue == Epilogue.ReluOfBias ? (IntPtr)Alignment : IntPtr.Zero, (IntPtr)Alignment); // only how an address is aligned is read
        isPossible = CublasLt.TryChoose(handle, product, matrices, out choice);
    }

    /// <summary>The product of a shape; null where the library has none for it.</summary>
    internal static EpilogueProduct? Of(ProductShape shape) =>
        Known.GetOrAdd(shape, static key => new Lazy<EpilogueProduct?>(() => new EpilogueProduct(key) is { isPossible: true } product ? product : null)).Value;

    /// <summary>A mask for so many rows of so many numbers, uninitialised: a bit each, the lowest of a byte first.</summary>
    internal static Tensor Mask(long rows, long width, Device device) => empty([rows, MaskBits(width) / 8], ScalarType.Byte, device);

    /// <summary>The product of contiguous tensors of its shape, on libtorch's current stream.</summary>
    internal Tensor Run(Tensor x, Tensor weight, Tensor? bias, Tensor mask)
    {
        using var scope = NewDisposeScope();
        Tensor y = empty([shape.Rows, shape.Out], x.dtype, x.device), workspace = empty([(long)Math.Max(1, choice.Workspace)], ScalarType.Byte, x.device);
        using KernelDriver.Current current = KernelDevice.Of(shape.Device).Enter();
        lock (gate)
        {
            CublasLt.Point(product, bias is null ? IntPtr.Zero : ForeignMemory.Address(bias), ForeignMemory.Address(mask));
            CublasLt.Run(handle, product, (matrices.A, ForeignMemory.Address(weight)), (matrices.B, ForeignMemory.Address(x)), (matrices.D, ForeignMemory.Address(y)), choice,
                ForeignMemory.Address(workspace), CudaStreams.Current(shape.Device));
        }
        return y.MoveToOuterDisposeScope();
    }

    private static long MaskBits(long width) => (width + MaskRun - 1) / MaskRun * MaskRun;
}
