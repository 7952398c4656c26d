using System.Diagnostics;
using System.Text.Json.Nodes;
using Benchmarks;
using FlatPO.Recipes;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;
using Texts = Step.Method<FlatPO.Recipes.TokenExample>;

namespace Step.Small;

/// <summary>A small model, as a recipe and by hand.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Method">The recipe.</param>
/// <param name="ByHand">The same, from the checkpoint's folder.</param>
internal sealed record SmallCase(string Name, Texts Method, Func<string, HandModel> ByHand)
{
    private const int Rows = 4, Tokens = 32;
    private const int Rounds = 4, WarmUp = 1, Blocks = 2;
    private const double LossTolerance = 1e-4;

    /// <summary>The milliseconds of a step either way, in turns so that both see the same machine, each in its fastest block, which other programs disturb least, and their ratio. Throws where the two do not compute the same loss.</summary>
    internal JsonObject Measure()
    {
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Small", Name, "config.json")))!.AsObject();
        using RandomCheckpoint checkpoint = RandomCheckpoint.Of(config);
        using Loaded<TokenExample> recipe = Method.Load(checkpoint.Folder);
        using HandModel model = ByHand(checkpoint.Folder);
        using HandFlatPO hand = new(model);
        Random random = new(1);
        int[] text = [.. Enumerable.Range(0, Tokens).Select(_ => random.Next((int)(long)config["vocab_size"]!))];
        using Tensor ids = tensor(Enumerable.Repeat(text, Rows).SelectMany(row => row).Select(id => (long)id).ToArray(), [Rows, Tokens]);
        List<double> ours = [], byHand = [];
        double? apart = null;
        for (int round = 0; round < Rounds; round++)
        {
            BlockClock clock = new(WarmUp);
            TrainingReport report = recipe.Train(new Run<TokenExample>([.. Enumerable.Repeat(new TokenExample(text), (WarmUp + Blocks) * BlockClock.Steps * Rows)], new Shape(Rows, Tokens), clock, false));
            ours.AddRange(clock.Milliseconds);
            for (int block = 0; block < Blocks; block++)
            {
                long start = Stopwatch.GetTimestamp();
                for (int step = 0; step < BlockClock.Steps; step++)
                {
                    double loss = hand.Step(ids);
                    apart ??= Math.Abs(loss - report.Steps[0].Loss);
                }
                if (round + block > 0) // the first warms up
                    byHand.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds / BlockClock.Steps);
            }
        }
        return apart <= LossTolerance ? Line(ours.Min(), byHand.Min()) : throw new InvalidOperationException($"{Name}: the first losses are {apart} apart: the two are not one model");
    }

    private JsonObject Line(double ours, double byHand) => new()
    {
        ["case"] = $"small {Name}",
        ["method"] = Method.Name,
        ["rows"] = Rows,
        ["tokens"] = Tokens,
        ["threads"] = get_num_threads(),
        ["ms"] = Math.Round(ours, 2),
        ["by_hand_ms"] = Math.Round(byHand, 2),
        ["ratio"] = Math.Round(ours / byHand, 3),
    };
}

/// <summary>The models that a machine without a GPU can train.</summary>
internal static class SmallCases
{
    internal static SmallCase[] All { get; } =
    [
        new("qwen2", Texts.Of("flatpo", 2, folder => SmallQwen.Load(folder, CPU), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens })), folder => new HandQwen(folder)),
        new("opt", Texts.Of("flatpo", 2, folder => SmallOpt.Load(folder, CPU), (recipe, run) => recipe.Train(run.Examples, run.Clock, s => s with { BatchSize = run.Shape.Rows, MaxLength = run.Shape.Tokens })), folder => new HandOpt(folder)),
    ];
}
