using System.Globalization;
using FlatPO.Recipes.Training;
using Spectre.Console;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>One bar over all runs, redrawn by the training thread itself whenever it reads its losses back.</summary>
internal sealed class RunProgress(ProgressContext context, ProgressTask bar)
{
    /// <summary>Shows a bar of <paramref name="runs"/> runs while <paramref name="work"/> goes on.</summary>
    internal static T Show<T>(int runs, Func<RunProgress, T> work) =>
        AnsiConsole.Progress()
            .AutoRefresh(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .Start(context => work(new RunProgress(context, context.AddTask("training", maxValue: runs))));

    /// <summary>What the training of one run reports to.</summary>
    internal IProgress<TrainingProgress> Of(Method method, int seed, int runsDone) => new Reporter(progress =>
    {
        bar.Description = string.Create(CultureInfo.InvariantCulture, $"{method.Name}, seed {seed}: loss {progress.Record.Loss:f3}");
        bar.Value = runsDone + (progress.Record.Step + 1.0) / progress.TotalSteps;
        if (progress.Record.Step % 10 == 0 || progress.Record.Step + 1 == progress.TotalSteps)
            context.Refresh();
    });

    // System.Progress would report from another thread, after the fact.
    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
