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
        string where = device.type == DeviceType.CUDA ? $"{device}" : $"{device}, {torch.get_num_threads()} threads";
        Line($"device    {where}; libtorch {torch.__version__} from {TorchLibraries.Folder.Origin}");
        Line($"backbone  ViT, trained on upright digits, white on black");
        Line($"adapter   LoRA on every linear layer and the classifier: {ShiftedDigitsFlatPO.Plan.TrainableTensors} tensors, {ShiftedDigitsFlatPO.Plan.TrainableParameters:n0} numbers");
        Line($"task      {ShiftedDigits.Shots} digits of each class, turned by {ShiftedDigits.Degrees}°, black on white; {seeds} {(seeds == 1 ? "seed" : "seeds")} of each method");
    }

    internal static void Table((double HeldOut, double Corrupted) before, IReadOnlyList<Outcome> outcomes)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("method");
        foreach (string column in (string[])["held-out accuracy %", "corrupted accuracy %", "clean loss", "sharpness, every tensor", "sharpness, sharpest 5 %", "seconds"])
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddRow("not adapted", $"{100 * before.HeldOut:f1}", $"{100 * before.Corrupted:f1}", "", "", "", "");
        foreach (IGrouping<string, Outcome> method in outcomes.GroupBy(outcome => outcome.Method))
            table.AddRow(
                method.Key,
                Spread(method, outcome => 100 * outcome.HeldOut, "f1"),
                Spread(method, outcome => 100 * outcome.Corrupted, "f1"),
                Spread(method, outcome => outcome.Probe.CleanLoss, "f4"),
                Spread(method, outcome => outcome.Probe.EveryTensor, "f4"),
                Spread(method, outcome => outcome.Probe.Sharpest, "f4"),
                Spread(method, outcome => outcome.Report.Elapsed.TotalSeconds, "f1"));
        AnsiConsole.Write(table);
        Line($"mean ± standard deviation over seeds. Clean loss and sharpness: after training, over the training examples; sharpness is the loss after a");
        Line($"climb of ρ = {new ShiftedDigitsSam.Settings().Rho} minus the clean loss, measured the same way for every method. Seconds: training alone.");
    }

    /// <summary>Which tensors FlatPO found sharpest.</summary>
    internal static void Perturbed(IReadOnlyList<Outcome> outcomes)
    {
        string[] names = [.. outcomes.Where(outcome => outcome.Method == "FlatPO").SelectMany(outcome => outcome.Report.Steps).SelectMany(step => step.Perturbed)];
        IEnumerable<string> most = names.CountBy(name => name).OrderByDescending(pair => pair.Value).Take(3)
            .Select(pair => $"{pair.Key} ({(double)pair.Value / names.Length:p0})");
        Line($"FlatPO perturbed {ShiftedDigitsFlatPO.Plan.PerturbedTensors} of {ShiftedDigitsFlatPO.Plan.TrainableTensors} tensors a step, most often {string.Join(", ", most)}.");
    }

    internal static void Written(string what, string path) => Line($"{what} written to {path}");

    // Not AnsiConsole: it would break lines at the terminal's width, and paths with them.
    private static void Line(string text) => Console.WriteLine(text);

    private static string Spread(IEnumerable<Outcome> outcomes, Func<Outcome, double> number, string format)
    {
        double[] numbers = [.. outcomes.Select(number)];
        double mean = numbers.Average();
        string spread = numbers.Length < 2 ? "" : $" ± {Math.Sqrt(numbers.Sum(x => (x - mean) * (x - mean)) / (numbers.Length - 1)).ToString(format)}";
        return mean.ToString(format) + spread;
    }
}
