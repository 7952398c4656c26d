using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace FlatPO.Recipes.Native;

/// <summary>
/// NVIDIA's cuBLASLt (<c>cublasLt.h</c>), which libtorch brings with it, for products whose numbers go through something before they are written. Numbers here are cuBLAS' own; matrices lie column by
/// column there, so that one of ours is seen as its transpose.
/// </summary>
internal static unsafe partial class CublasLt
{
    internal const string Library = "cublasLt";

    private const int Float32 = 0, BFloat16 = 14; // cudaDataType
    private const int ComputeInFloat32 = 68;
    private const int TransposeOfA = 3, EpilogueOf = 7, BiasPointer = 8, MaskPointer = 11, MaskStride = 12; // cublasLtMatmulDescAttributes_t
    private const int LargestWorkspace = 1; // cublasLtMatmulPreferenceAttributes_t
    private const ulong WorkspaceBytes = 32 << 20; // what libtorch gives it on such cards

    private static readonly ConcurrentDictionary<int, Lazy<IntPtr>> Handles = [];

    /// <summary>The library's handle on a device, made when it is asked for first.</summary>
    internal static IntPtr Handle(int device) => Handles.GetOrAdd(device, static number => new Lazy<IntPtr>(() =>
    {
        using KernelDriver.Current current = KernelDevice.Of(number).Enter();
        Check(cublasLtCreate(out IntPtr handle), nameof(cublasLtCreate));
        return handle;
    })).Value;

    /// <summary>A product aᵀ · b of 16-bit matrices, summed in float32.</summary>
    internal static IntPtr Product(int epilogue, long maskStride)
    {
        Check(cublasLtMatmulDescCreate(out IntPtr product, ComputeInFloat32, Float32), nameof(cublasLtMatmulDescCreate));
        Set(product, TransposeOfA, 1);
        Set(product, EpilogueOf, epilogue);
        Set(product, MaskStride, maskStride);
        return product;
    }

    /// <summary>Where the product's bias and mask lie.</summary>
    internal static void Point(IntPtr product, IntPtr bias, IntPtr mask)
    {
        if (bias != IntPtr.Zero)
            Set(product, BiasPointer, bias);
        Set(product, MaskPointer, mask);
    }

    /// <summary>A 16-bit matrix with so many rows, one column behind the other.</summary>
    internal static IntPtr Matrix(long rows, long columns)
    {
        Check(cublasLtMatrixLayoutCreate(out IntPtr matrix, BFloat16, (ulong)rows, (ulong)columns, rows), nameof(cublasLtMatrixLayoutCreate));
        return matrix;
    }

    /// <summary>How the library would compute d = aᵀ · b; false where it cannot.</summary>
    internal static bool TryChoose(IntPtr handle, IntPtr product, (IntPtr A, IntPtr B, IntPtr D) matrices, out Choice choice)
    {
        Check(cublasLtMatmulPreferenceCreate(out IntPtr preference), nameof(cublasLtMatmulPreferenceCreate));
        try
        {
            ulong most = WorkspaceBytes;
            Check(cublasLtMatmulPreferenceSetAttribute(preference, LargestWorkspace, &most, sizeof(ulong)), nameof(cublasLtMatmulPreferenceSetAttribute));
            (choice, int found) = (default, 0);
            fixed (Choice* result = &choice)
                return cublasLtMatmulAlgoGetHeuristic(handle, product, matrices.A, matrices.B, matrices.D, matrices.D, preference, 1, result, &found) == 0 && found > 0 && choice.State == 0;
        }
        finally
        {
            _ = cublasLtMatmulPreferenceDestroy(preference);
        }
    }

    /// <summary>d = aᵀ · b on a stream.</summary>
    internal static void Run(IntPtr handle, IntPtr product, (IntPtr Layout, IntPtr Address) a, (IntPtr Layout, IntPtr Address) b, (IntPtr Layout, IntPtr Address) d, in Choice choice, IntPtr workspace, IntPtr stream)
    {
        float one = 1, zero = 0;
        fixed (Choice* chosen = &choice)
            Check(cublasLtMatmul(handle, product, &one, a.Address, a.Layout, b.Address, b.Layout, &zero, d.Address, d.Layout, d.Address, d.Layout, chosen, workspace, (nuint)choice.Workspace, stream), nameof(cublasLtMatmul));
    }

    private static void Set<T>(IntPtr product, int attribute, T value)
        where T : unmanaged =>
        Check(cublasLtMatmulDescSetAttribute(product, attribute, &value, (nuint)sizeof(T)), $"{nameof(cublasLtMatmulDescSetAttribute)}({attribute})");

    private static void Check(int status, string function)
    {
        if (status != 0)
            throw new InvalidOperationException($"{function} returned {status}");
    }

    /// <summary>One of the library's ways to compute a product (<c>cublasLtMatmulHeuristicResult_t</c>): it begins with the algorithm, opaque to others.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Choice
    {
        private fixed ulong algorithm[8];

        /// <summary>Bytes of memory it needs for itself.</summary>
        internal ulong Workspace;

        /// <summary>0 where it can be used.</summary>
        internal int State;

        private readonly float waves;
        private fixed int reserved[4];
    }

    [LibraryImport(Library)]
    private static partial int cublasLtCreate(out IntPtr handle);

    [LibraryImport(Library)]
    private static partial int cublasLtMatmulDescCreate(out IntPtr product, int compute, int scale);

    [LibraryImport(Library)]
    private static partial int cublasLtMatmulDescSetAttribute(IntPtr product, int attribute, void* value, nuint bytes);

    [LibraryImport(Library)]
    private static partial int cublasLtMatrixLayoutCreate(out IntPtr matrix, int format, ulong rows, ulong columns, long stride);

    [LibraryImport(Library)]
    private static partial int cublasLtMatmulPreferenceCreate(out IntPtr preference);

    [LibraryImport(Library)]
    private static partial int cublasLtMatmulPreferenceSetAttribute(IntPtr preference, int attribute, void* value, nuint bytes);

    [LibraryImport(Library)]
    private static partial int cublasLtMatmulPreferenceDestroy(IntPtr preference);

    [LibraryImport(Library)]
    private static partial int cublasLtMatmulAlgoGetHeuristic(IntPtr handle, IntPtr product, IntPtr a, IntPtr b, IntPtr c, IntPtr d, IntPtr preference, int asked, Choice* results, int* found);

    [LibraryImport(Library)]
    private static partial int cublasLtMatmul(IntPtr handle, IntPtr product, float* alpha, IntPtr a, IntPtr layoutOfA, IntPtr b, IntPtr layoutOfB, float* beta, IntPtr c, IntPtr layoutOfC, IntPtr d, IntPtr layoutOfD,
        Choice* choice, IntPtr workspace, nuint workspaceBytes, IntPtr stream);
}
