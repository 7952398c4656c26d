// Adapts a small vision transformer to shifted digits with AdamW, SAM and FlatPO, and compares where they end.
//   dotnet run -c Release --project examples/QuickStart
using System.Globalization;
using FlatPO.Recipes;
using FlatPO.Recipes.Examples.QuickStart;
using TorchSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    Options options = Options.Parse(args);
    if (options.Help)
    {
        Console.WriteLine(Options.Usage);
        return 0;
    }
    string model = Path.Combine(AppContext.BaseDirectory, "model");
    torch.Device device = options.OpenDevice();
    torch.set_num_threads(1); // so small a model gains little from more, and on a busy machine it loses far more by their waiting for each other
    Experiment experiment = new(model, device, options.Out);

    Report.Header(device, options.Seeds);
    IReadOnlyList<Outcome> outcomes = RunProgress.Show(Method.All.Count * options.Seeds, progress => experiment.Run(options.Seeds, progress));
    Report.Table(experiment.BeforeAdapting(), outcomes);
    Report.Perturbed(outcomes);

    Artifacts artifacts = new(options.Out, model);
    Report.Written("adapter (PEFT layout)", artifacts.SaveAdapter(experiment.AdapterOf("FlatPO", seed: 0)));
    Report.Written("plot", artifacts.SavePlot(outcomes));
    if (options.DumpLogits is { } file)
        Report.Written("images and logits", artifacts.DumpLogits(file, ShiftedDigits.HeldOut()));
    return 0;
}
catch (FormatException error)
{
    Console.Error.WriteLine($"error: {error.Message}\n{Options.Usage}");
    return 2;
}
catch (RecipeException error)
{
    Console.Error.WriteLine($"error {error.Message}");
    return 1;
}
