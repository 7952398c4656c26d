using FlatPO.Recipes.Native;
using Spectre.Console;
using TorchSharp;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>What the program prints.</summary>
internal static class Report
{
    internal static void Header(torch.Device device, int seeds)
    {
        AnsiConsole.Write(new Rule("[bold]FlatPO.Recipes: three optimizers on shifted digits[/]").LeftJustified());
        Line($"device    {device}; libtorch from {TorchLibraries.Folder.Origin}");
        Line("backbone  ViT, trained on upright digits, white on black");
        Line($"adapter   LoRA r = 8 and the classifier: {ShiftedDigitsFlatPO.Plan.TrainableTensors} tensors, {ShiftedDigitsFlatPO.Plan.TrainableParameters:n0} numbers");
        Line($"task      {ShiftedDigits.Shots} digits of each class, turned by {ShiftedDigits.Degrees}°, black on white");
        Line($"runs      {Method.All.Count} methods × {seeds} {(seeds == 1 ? "seed" : "seeds")}");
    }

    internal static void Table((double HeldOut, double Corrupted) before, IReadOnlyList<Outcome> outcomes)
    {
        Table table = new Table().Border(TableBorder.Horizontal).AddColumn(new TableColumn("method").NoWrap());
        foreach (string column in (string[])["held-out\n%", "corrupted\n%", "clean loss", "sharpness\n× 1000", "… of 5 %\n× 1000", "time\ns"])
            table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        table.AddRow("before", $"{100 * before.HeldOut:f1}", $"{100 * before.Corrupted:f1}", "", "", "", "");
        foreach (IGrouping<string, Outcome> method in outcomes.GroupBy(outcome => outcome.Method))
            table.AddRow(
                method.Key,
                Spread(method, outcome => 100 * outcome.HeldOut, "f1"),
                Spread(method, outcome => 100 * outcome.Corrupted, "f1"),
                Spread(method, outcome => outcome.Probe.CleanLoss, "f3"),
                Spread(method, outcome => 1000 * outcome.Probe.EveryTensor, "f1"),
                Spread(method, outcome => 1000 * outcome.Probe.Sharpest, "f2"),
                $"{method.Average(outcome => outcome.Report.Elapsed.TotalSeconds):f1}");
        AnsiConsole.Write(table);
        Line("""
            Mean ± standard deviation over the seeds. held-out, corrupted: accuracy on the
            test digits. clean loss, sharpness: measured alike for all three after training,
            over the training examples, as L(θ) and L(θ + ε) − L(θ). time: training alone.
            """);
        if (outcomes.MaxBy(outcome => outcome.Report.Memory?.PeakAllocatedBytes ?? 0)?.Report.Memory is { } memory)
            Line($"The most memory a run took of the GPU: {memory.PeakAllocatedBytes >> 20:n0} MiB in tensors, {memory.PeakReservedBytes >> 20:n0} MiB with what libtorch keeps for later.");
        Line($"ε climbs by ρ = {SharpnessProbe.Rho} along every adapter tensor, or along the sharpest 5 % of them.\n");
    }

    /// <summary>Which tensors FlatPO found sharpest.</summary>
    internal static void Perturbed(IReadOnlyList<Outcome> outcomes)
    {
        string[] names = [.. outcomes.Where(outcome => outcome.Method == "FlatPO").SelectMany(outcome => outcome.Report.Steps).SelectMany(step => step.Perturbed)];
        IEnumerable<string> most = names.CountBy(name => name).OrderByDescending(pair => pair.Value).Take(3)
            .Select(pair => $"{pair.Key} ({(double)pair.Value / names.Length:p0})");
        Line($"FlatPO perturbed {ShiftedDigitsFlatPO.Plan.PerturbedTensors} of {ShiftedDigitsFlatPO.Plan.TrainableTensors} tensors a step; of all its choices, most were\n  {string.Join("\n  ", most)}");
    }

    internal static void Written(string what, string path) => Line($"{what} written to {path}");

    // Not AnsiConsole: it would break lines at the terminal's width, and paths with them.
    private static void Line(string text) => Console.WriteLine(text);

    private static string Spread(IEnumerable<Outcome> outcomes, Func<Outcome, double> number, string format)
    {
        double[] numbers = [.. outcomes.Select(number)];
        double mean = numbers.Average();
        string spread = numbers.Length < 2 ? "" : $"±{Math.Sqrt(numbers.Sum(x => (x - mean) * (x - mean)) / (numbers.Length - 1)).ToString(format)}";
        return mean.ToString(format) + spread;
    }
}
