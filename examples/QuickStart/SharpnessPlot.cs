using System.Globalization;
using FlatPO.Recipes.Training;
using ScottPlot;
using ScottPlot.Plottables;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>Clean loss and sharpness over the steps of a run, the mean over seeds.</summary>
internal static class SharpnessPlot
{
    private const int Width = 900, Height = 800;

    private static readonly Dictionary<string, Color> Colors = new()
    {
        ["AdamW"] = Color.FromHex("#7f7f7f"),
        ["SAM"] = Color.FromHex("#1f77b4"),
        ["FlatPO"] = Color.FromHex("#d62728"),
    };

    internal static void Save(string path, IReadOnlyList<Outcome> outcomes)
    {
        Multiplot both = new();
        both.AddPlots(2);
        Plot loss = both.GetPlot(0), sharpness = both.GetPlot(1);
        IGrouping<string, Outcome>[] methods = [.. outcomes.GroupBy(outcome => outcome.Method)];
        foreach ((int i, IGrouping<string, Outcome> method) in methods.Index())
        {
            AddCurve(loss, method, method.Key, step => step.Loss);
            if (method.First().Report.Steps[0].Sharpness is not null)
                AddCurve(sharpness, method, $"{method.Key}, at its own climb", step => step.Sharpness!.Value);
            AddEnd(sharpness, method, place: i + 1);
        }
        Dress(loss, "Clean loss L(θ) of each step", Alignment.LowerLeft);
        Dress(sharpness, "Sharpness L(θ + ε) − L(θ) of each step", Alignment.LowerLeft);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        both.SavePng(path, Width, Height);
    }

    private static void AddCurve(Plot plot, IGrouping<string, Outcome> method, string label, Func<StepRecord, double> number)
    {
        int steps = method.First().Report.Steps.Count;
        double[] mean = [.. Enumerable.Range(0, steps).Select(step => method.Average(outcome => number(outcome.Report.Steps[step])))];
        int epoch = method.First().Report.Steps.Count(step => step.Epoch == 0);
        Scatter curve = plot.Add.ScatterLine(Enumerable.Range(0, steps).Select(step => (double)step).ToArray(), [.. Smooth(mean, epoch).Select(Log)], Colors[method.Key]);
        (curve.LegendText, curve.LineWidth) = (label, 2);
    }

    // The same climb for all methods, after training, over all training examples: what all three can be compared by. Side by side, not to hide one another.
    private static void AddEnd(Plot plot, IGrouping<string, Outcome> method, int place)
    {
        double x = method.First().Report.Steps.Count * (1 + 0.02 * place);
        Marker end = plot.Add.Marker(x, Log(method.Average(outcome => outcome.Probe.EveryTensor)), MarkerShape.FilledDiamond, size: 11, Colors[method.Key]);
        end.LegendText = $"{method.Key}, trained, every tensor climbs by {SharpnessProbe.Rho}";
    }

    // Sharpness can be negative for a step; a logarithmic axis leaves it out.
    private static double Log(double number) => number > 0 ? Math.Log10(number) : double.NaN;

    /// <summary>The mean of each number and those before it, at most <paramref name="window"/> of them.</summary>
    private static double[] Smooth(double[] numbers, int window) =>
        [.. numbers.Select((_, i) => numbers[Math.Max(0, i - window + 1)..(i + 1)].Average())];

    private static void Dress(Plot plot, string title, Alignment legend)
    {
        plot.Title(title);
        plot.XLabel("step (curves: mean over seeds and over an epoch's steps)");
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
        {
            IntegerTicksOnly = true,
            LabelFormatter = exponent => Math.Pow(10, exponent).ToString("0.######", CultureInfo.InvariantCulture),
            MinorTickGenerator = new ScottPlot.TickGenerators.LogMinorTickGenerator(),
        };
        plot.ShowLegend(legend);
    }
}
