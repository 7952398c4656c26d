using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Benchmarks;
using FlatPO.Recipes;
using FlatPO.Recipes.Training;

namespace Step;

/// <summary>A model with its adapters, on which every method trains on every shape.</summary>
internal interface ICase
{
    /// <summary>As the peer calls it.</summary>
    string Name { get; }

    /// <summary>The same with the shapes and methods that are asked for. Throws <see cref="ArgumentException"/> for one that it has not.</summary>
    ICase Only(Options asked);

    /// <summary>Measures everything on one checkpoint: a line a shape.</summary>
    IEnumerable<JsonObject> Measure(Settings settings);
}

/// <summary>How to measure.</summary>
/// <param name="Asked">What the command line asks for.</param>
/// <param name="Peak">Operations a second of a large matrix product.</param>
internal sealed record Settings(Options Asked, double Peak);

/// <inheritdoc/>
internal sealed record Case<TExample>(string Name, string Model, Shape[] Shapes, Method<TExample>[] Methods) : ICase
{
    // Examples that differ; they come again and again.
    private const int Distinct = 16;

    private const int Traced = 20; // steps

    /// <summary>Makes so many examples of so many tokens.</summary>
    internal required Func<int, int, TExample[]> Make { get; init; }

    /// <summary>What there is to do on one.</summary>
    internal required Func<TExample, Work> WorkOf { get; init; }

    /// <summary>Numbers that are trained, and in how many tensors.</summary>
    internal required (long Numbers, int Tensors) Trained { get; init; }

    public ICase Only(Options asked) => this with
    {
        Shapes = Options.Chosen(asked.Shapes, Shapes, shape => $"{shape.Rows}x{shape.Tokens}", $"shape of {Name}"),
        Methods = Options.Chosen(asked.Methods, Methods, method => method.Name, $"method of {Name}"),
    };

    public IEnumerable<JsonObject> Measure(Settings settings)
    {
        using RandomCheckpoint checkpoint = RandomCheckpoint.Of(Model, dropout: 0);
        PassOperations operations = new(checkpoint);
        JsonObject[] lines = [.. Shapes.Select(shape => Line(shape, settings))];
        foreach (Method<TExample> method in Methods)
        {
            using Loaded<TExample> loaded = method.Load(checkpoint.Folder);
            foreach ((Shape shape, JsonObject line) in Shapes.Zip(lines))
                Train(loaded, shape, line, (method.Name, method.Passes * operations.Of(WorkOf(Make(1, shape.Tokens)[0])) * shape.Rows), settings);
        }
        return lines;
    }

    private void Train(Loaded<TExample> loaded, Shape shape, JsonObject line, (string Name, double Operations) method, Settings settings)
    {
        TExample[] some = Make(Distinct, shape.Tokens);
        int steps = settings.Asked.Steps + BlockClock.WarmUp * BlockClock.Steps;
        BlockClock clock = new();
        try
        {
            TrainingReport report = loaded.Train(new Run<TExample>([.. Enumerable.Range(0, steps * shape.Rows).Select(i => some[i % Distinct])], shape, clock, settings.Asked.Checkpointing));
            line[method.Name] = Figures(report, clock.Median, shape, method.Operations, settings.Peak);
            if (settings.Asked.Trace)
                line[$"{method.Name}_trace"] = new JsonArray([.. report.Steps.Take(Traced).Select(Trace)]);
            line["captured"] = (bool)line["captured"]! && report.Execution is { WhyEager: null, CapturedSteps: > 0 };
        }
        catch (Exception error) when (error is ExternalException or RecipeException)
        {
            GC.Collect(); // what a step left half done frees its memory
            GC.WaitForPendingFinalizers();
            line[method.Name] = error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) ? "out of memory" : $"failed: {error.Message.Split('\n')[0]}";
        }
    }

    private static JsonObject Figures(TrainingReport report, double milliseconds, Shape shape, double operations, double peak) => new()
    {
        ["ms"] = Math.Round(milliseconds, 2),
        ["tokens_per_s"] = Math.Round(shape.Rows * shape.Tokens / milliseconds * 1e3),
        ["peak_gib"] = report.Memory is { } memory ? Math.Round(memory.PeakAllocatedBytes / (double)(1 << 30), 2) : null,
        ["feed_wait_ms"] = Math.Round(report.WaitedForBatches.TotalMilliseconds / report.Steps.Count, 3),
        ["perturbation_error"] = report.LargestPerturbationError is { } error ? Math.Round(error, 5) : null,
        ["captured_steps"] = report.Execution?.CapturedSteps,
        ["why_eager"] = report.Execution?.WhyEager,
        ["tflops"] = Math.Round(operations / milliseconds / 1e9, 1),
        ["mfu"] = Math.Round(operations / milliseconds * 1e3 / peak, 3),
    };

    private static JsonObject Trace(StepRecord step) => new()
    {
        ["loss"] = step.Loss,
        ["perturbed_loss"] = step.PerturbedLoss,
        ["perturbed"] = new JsonArray([.. step.Perturbed.Select(name => (JsonNode)name)]),
    };

    private JsonObject Line(Shape shape, Settings settings) => new()
    {
        ["peer"] = "flatpo.recipes",
        ["captured"] = !settings.Asked.Eager,
        ["checkpointing"] = settings.Asked.Checkpointing,
        ["case"] = Name,
        ["rows"] = shape.Rows,
        ["tokens"] = shape.Tokens,
        ["trainable"] = Trained.Numbers,
        ["tensors"] = Trained.Tensors,
        ["gpu"] = Gpu.Name(),
        ["torch"] = Gpu.TorchVersion(),
        ["matmul_tflops"] = Math.Round(settings.Peak / 1e12, 1),
    };
}
