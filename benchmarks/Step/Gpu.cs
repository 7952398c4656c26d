using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace Step;

/// <summary>The card and the libraries that a figure belongs to.</summary>
internal static partial class Gpu
{
    private const long Size = 8192;
    private const int Repetitions = 20, Rounds = 5;

    /// <summary>The first device's name, as the driver has it.</summary>
    internal static string Name()
    {
        byte[] name = new byte[256];
        int error = cuDeviceGetName(name, name.Length, 0);
        return error == 0 ? Encoding.UTF8.GetString(name).TrimEnd('\0') : throw new InvalidOperationException($"cuDeviceGetName: error {error}");
    }

    /// <summary>The version of the PyTorch whose libtorch runs, or of the libtorch that TorchSharp was made for.</summary>
    internal static string TorchVersion()
    {
        string? versions = TorchLibraries.Folder.Path is { } path ? Path.Combine(path, "..", "version.py") : null;
        string? line = File.Exists(versions) ? File.ReadLines(versions).FirstOrDefault(line => line.StartsWith("__version__", StringComparison.Ordinal)) : null;
        return line?.Split('\'', '"')[1] ?? __version__;
    }

    /// <summary>Operations a second of a bfloat16 matrix product of 8192³, the most that a step could reach; the median of a few rounds.</summary>
    internal static double MatrixProduct()
    {
        using var scope = NewDisposeScope();
        Tensor left = randn(Size, Size, ScalarType.BFloat16, CUDA), right = randn(Size, Size, ScalarType.BFloat16, CUDA);
        Seconds();
        return 2.0 * Size * Size * Size / BlockClock.Of([.. Enumerable.Range(0, Rounds).Select(_ => Seconds())]);

        double Seconds()
        {
            cuda.synchronize();
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Repetitions; i++)
                left.mm(right).Dispose();
            cuda.synchronize();
            return Stopwatch.GetElapsedTime(start).TotalSeconds / Repetitions;
        }
    }

    [LibraryImport("libcuda.so.1")]
    private static partial int cuDeviceGetName([Out] byte[] name, int length, int device);
}
