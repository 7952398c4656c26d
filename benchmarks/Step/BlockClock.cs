using System.Diagnostics;
using FlatPO.Recipes.Training;

namespace Step;

/// <summary>
/// The time of a step inside a run. The loop reads its losses back ten steps at a time, and the first number of a block waits until the device has done all of them: from one block's
/// first report to the next one's the device did ten whole steps.
/// </summary>
/// <param name="warmUp">Blocks that are not counted: kernels are chosen, memory is found, steps are captured.</param>
internal sealed class BlockClock(int warmUp = BlockClock.WarmUp) : IProgress<TrainingProgress>
{
    /// <summary>Steps of a block.</summary>
    internal const int Steps = 10;

    /// <summary>Blocks that are not counted unless others are named.</summary>
    internal const int WarmUp = 2;

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly List<double> firstReports = [];

    /// <summary>Milliseconds of a step in each block that counts.</summary>
    internal IEnumerable<double> Milliseconds => firstReports.Zip(firstReports.Skip(1), (before, after) => (after - before) / Steps).Skip(warmUp - 1);

    /// <summary>The median of these.</summary>
    internal double Median => Of([.. Milliseconds]);

    public void Report(TrainingProgress value)
    {
        if (value.Record.Step % Steps == 0)
            firstReports.Add(clock.Elapsed.TotalMilliseconds);
    }

    /// <summary>The median; of an even count the upper one, as the peer takes it.</summary>
    internal static double Of(double[] numbers) => numbers.Order().ElementAt(numbers.Length / 2);
}
