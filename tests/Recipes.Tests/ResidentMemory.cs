using System.Globalization;
using System.Runtime.InteropServices;

namespace Recipes.Tests;

/// <summary>Memory of this process that is in RAM, as Linux counts it, in bytes.</summary>
internal static class ResidentMemory
{
    internal static long Now() => Read("VmRSS:");

    /// <summary>The most it was since the peak was last forgotten.</summary>
    internal static long Peak() => Read("VmHWM:");

    /// <summary>
    /// Gives every tensor pages of its own from here on, which go back when it is freed: what glibc keeps for later would be counted as used.
    /// </summary>
    internal static void KeepNothingBack() => mallopt(MmapThreshold, 1 << 16);

    internal static void ForgetPeak() => File.WriteAllText("/proc/self/clear_refs", "5");

    private const int MmapThreshold = -3; // M_MMAP_THRESHOLD of malloc.h

    [DllImport("libc")]
    private static extern int mallopt(int parameter, int value);

    private static long Read(string key)
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(key, StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^2], CultureInfo.InvariantCulture);
    }
}
