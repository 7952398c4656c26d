// What recipes cost an editor and a build, on a project of 100 recipes and 50 ordinary files.
//   dotnet run -c Release --project benchmarks/Generator
using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using FlatPO.Recipes.Generator.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int lines = HundredRecipes.RequireRightness();
Keystrokes.UntilJitted();

Summary keystrokes = Measure<Keystrokes>(warmups: 10, iterations: 15, invocations: 12);
Summary build = Measure<FullBuild>(warmups: 1, iterations: 4, invocations: 1);
double analyzer = Enumerable.Range(0, 3).Select(_ => HundredRecipes.Analyze(HundredRecipes.Generated()).Time.TotalMilliseconds).Order().ElementAt(1);

Console.WriteLine($"{"after a keystroke",-40}{"median ms",12}{"fastest",10}");
foreach (BenchmarkReport report in keystrokes.Reports)
    Row(report);
Console.WriteLine($"\n{$"a full build, {lines} lines written",-40}{"median ms",12}{"fastest",10}");
foreach (BenchmarkReport report in build.Reports)
    Row(report);
Console.WriteLine($"{"Analyzer alone",-40}{analyzer,12:f1}");
Console.WriteLine($"{"added by recipes",-40}{Milliseconds(build.Reports[1]) - Milliseconds(build.Reports[0]) + analyzer,12:f1}");

static Summary Measure<T>(int warmups, int iterations, int invocations)
{
    Job job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(warmups).WithIterationCount(iterations).WithInvocationCount(invocations).WithUnrollFactor(1);
    Summary summary = BenchmarkRunner.Run<T>(ManualConfig.CreateEmpty()
        .AddJob(job)
        .AddLogger(NullLogger.Instance)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "artifacts")));
    return summary.Reports.Length > 0 && summary.Reports.All(report => report.Success)
        ? summary
        : throw new InvalidOperationException(string.Join('\n', summary.ValidationErrors.Select(error => error.Message).Prepend($"{typeof(T).Name} could not be measured")));
}

static double Milliseconds(BenchmarkReport report) => report.ResultStatistics!.Median / 1e6;

static void Row(BenchmarkReport report) => Console.WriteLine(
    $"{report.BenchmarkCase.Descriptor.WorkloadMethod.Name.Replace('_', ' '),-40}{Milliseconds(report),12:f1}{report.ResultStatistics!.Min / 1e6,10:f1}");
