using System.Text.Json;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Optimization;
using FlatPO.Recipes.Sharpness;
using FlatPO.Recipes.Tests.Trainables;
using FlatPO.Recipes.Trainables;
using FlatPO.Recipes.Training;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Tests.Training;

/// <summary>What trace.json says: the settings of a reference run, and its losses and perturbed tensors step by step.</summary>
internal sealed record Trace(string Base, JsonElement Settings, double[] FirstLoss, double[] SecondLoss, string[][] Perturbed, string[] Trainable)
{
    internal bool IsSgd => Settings.GetProperty("optimizer").GetString() == "sgd";

    internal JsonElement Policy => Settings.GetProperty("policy");

    internal static Trace Read(string folder)
    {
        JsonElement root = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "trace.json"))).RootElement;
        return new Trace(
            root.GetProperty("base").GetString()!, root, Numbers(root, "first_loss"), Numbers(root, "second_loss"),
            [.. root.GetProperty("perturbed").EnumerateArray().Select(step => step.EnumerateArray().Select(Name).ToArray())],
            [.. root.GetProperty("trainable").EnumerateArray().Select(Name)]);
    }

    internal double Number(string key) => Settings.GetProperty(key).GetDouble();

    private static double[] Numbers(JsonElement root, string key) => [.. root.GetProperty(key).EnumerateArray().Select(item => item.GetDouble())];

    /// <summary>peft's parameter names carry the adapter's name, its files and we do not.</summary>
    private static string Name(JsonElement item) => item.GetString()!["base_model.model.".Length..].Replace(".default.", ".");
}

/// <summary>The step of a reference run, put together from the same pieces a recipe's emitted step uses.</summary>
internal sealed class TraceStep : IDisposable
{
    private readonly Arena arena;
    private readonly CausalLM backbone;
    private readonly BaseOptimizer optimizer;
    private readonly Ranking ranking;
    private readonly Func<Selection>? select;
    private readonly double rho;
    private readonly ClimbMetric metric;

    internal TraceStep(Trace trace, Arena arena, CausalLM backbone)
    {
        (this.arena, this.backbone) = (arena, backbone);
        double rate = trace.Number("learning_rate");
        optimizer = trace.IsSgd
            ? new Sgd(arena) { LearningRate = rate, Momentum = trace.Number("momentum") }
            : new AdamW(arena) { LearningRate = rate, WeightDecay = trace.Number("weight_decay") };
        optimizer.Schedule(1);
        ranking = new Ranking(arena, Has(trace, "peft_weight", out JsonElement role) && role.GetString() == "v" ? Sites.Value : Sites.None);
        (select, rho) = Policy(trace);
        metric = Has(trace, "adaptive", out JsonElement adaptive) && adaptive.GetBoolean() ? ClimbMetric.Adaptive : ClimbMetric.Euclidean;
    }

    /// <summary>The tensors the last step's climb really moved: a selected tensor whose gradient is zero stays where it is. Which those are is read on the host, where <see cref="Watches"/> says so.</summary>
    internal IReadOnlyList<string> Moved { get; private set; } = [];

    /// <summary>Whether <see cref="Moved"/> is wanted: a step that is recorded cannot say.</summary>
    internal bool Watches { get; init; } = true;

    internal StepReport Run(Window<TokenBatch> window)
    {
        Tensor clean = window.Pass(arena, backbone.Loss);
        if (select is null)
        {
            optimizer.Step();
            return new StepReport(clean);
        }
        Selection sharp = select();
        Tensor perturbed;
        int[][] before = Watches ? [.. arena.Tensors.Select(tensor => tensor.Value.Bits())] : [];
        using (arena.Climb(sharp, rho, metric))
        {
            if (Watches)
                Moved = [.. arena.Tensors.Where((tensor, i) => !tensor.Value.Bits().SequenceEqual(before[i])).Select(tensor => tensor.Name)];
            perturbed = window.Pass(arena, backbone.Loss);
        }
        optimizer.Step();
        return new StepReport(clean, perturbed, sharp);
    }

    public void Dispose()
    {
        optimizer.Dispose();
        ranking.Dispose();
    }

    private (Func<Selection>? Select, double Rho) Policy(Trace trace) => trace.Policy switch
    {
        { ValueKind: JsonValueKind.Object } policy when policy.GetProperty("variant").GetString() == "sam" => (ranking.All, policy.GetProperty("rho").GetDouble()),
        { ValueKind: JsonValueKind.Object } policy => (() => ranking.Sharpest(ranking.CountOf(policy.GetProperty("flatpo_sensitive_ratio").GetDouble())), policy.GetProperty("rho").GetDouble()),
        { } policy when policy.GetString() == "flatpo-quantile-0.95-rho-0.05" => (() => ranking.AboveQuantile(0.95), 0.05),
        { } policy when policy.GetString() == "none" => (null, 0),
        { } policy => throw new InvalidDataException($"trace.json: unknown policy {policy}"),
    };

    private static bool Has(Trace trace, string key, out JsonElement value)
    {
        value = default;
        return trace.Policy.ValueKind == JsonValueKind.Object && trace.Policy.TryGetProperty(key, out value);
    }
}
