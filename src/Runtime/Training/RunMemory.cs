using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>The device's memory while a run goes on: its peaks, and what there is to say when a step finds none left.</summary>
internal sealed partial class RunMemory
{
    private readonly Device device;
    private readonly CudaAllocator? allocator;
    private readonly long failures;

    /// <summary>Peaks are those from here on.</summary>
    internal RunMemory(Device device)
    {
        this.device = device;
        allocator = CudaAllocator.Of(device);
        allocator?.ResetPeaks();
        failures = allocator?.Failures() ?? 0;
    }

    /// <summary>The most there was so far; null where nobody counts.</summary>
    internal MemoryPeaks? Peaks => allocator?.Read() is { } read ? new MemoryPeaks(read.PeakAllocated, read.PeakReserved) : null;

    /// <summary>Whether it was for want of memory. An operator called by name says so on standard error alone: then the allocator's own count tells.</summary>
    internal bool RanOut(Exception error) =>
        Causes(error).Any(cause => cause is ExternalException && Words().IsMatch(cause.Message) || cause is RecipeException { Id: "FPO4903" } && allocator?.Failures() > failures);

    /// <summary>Frees what the step left, and says what was asked for, what there is, what was planned and what helps.</summary>
    internal RecipeException Report(Exception error, int step, string advice)
    {
        long? asked = Causes(error).Select(Asked).FirstOrDefault(bytes => bytes is not null);
        (long free, long total) = allocator?.OnDevice() ?? OnHost();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        allocator?.EmptyCache();
        return new RecipeException("FPO2103", $"step {step} ran out of memory on {device}: it asked for {(asked is { } bytes ? ByteWords.Of(bytes) : "more")} where {ByteWords.Of(free)} of {ByteWords.Of(total)} are free; {advice}. "
            + "The adapters are as the step found them, and what it held is freed", error);
    }

    private static IEnumerable<Exception> Causes(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
            yield return error;
    }

    private static long? Asked(Exception error) => Sizes().Match(error.Message) is { Success: true } match ? ByteWords.Read(match.Groups[1].Value, match.Groups[2].Value) : null;

    private static (long Free, long Total) OnHost() => GC.GetGCMemoryInfo() is var host ? (Math.Max(0, host.TotalAvailableMemoryBytes - host.MemoryLoadBytes), host.TotalAvailableMemoryBytes) : default;

    [GeneratedRegex("out of memory|can't allocate memory|ALLOC_FAILED", RegexOptions.IgnoreCase)]
    private static partial Regex Words();

    [GeneratedRegex(@"tried to allocate ([\d.]+) (bytes|[KMGTP]iB)", RegexOptions.IgnoreCase)]
    private static partial Regex Sizes();
}
