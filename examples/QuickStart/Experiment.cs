using FlatPO.Recipes.Training;
using TorchSharp;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>Every method with every seed: the same examples, the same initial adapters and the same order for all methods of a seed.</summary>
internal sealed class Experiment(string model, torch.Device device, string folder)
{
    private readonly IReadOnlyList<ImageExample> heldOut = ShiftedDigits.HeldOut();
    private readonly IReadOnlyList<ImageExample> corrupted = ShiftedDigits.Corrupted();

    /// <summary>What the backbone can do before it is adapted.</summary>
    internal (double HeldOut, double Corrupted) BeforeAdapting()
    {
        using IRecipe<ImageExample> fresh = Method.All[0].Load(model, device, 0);
        return (fresh.Evaluate(heldOut).Accuracy, fresh.Evaluate(corrupted).Accuracy);
    }

    internal IReadOnlyList<Outcome> Run(int seeds, RunProgress progress)
    {
        List<Outcome> outcomes = [];
        for (int seed = 0; seed < seeds; seed++)
        {
            IReadOnlyList<ImageExample> examples = ShiftedDigits.FewShot(seed);
            foreach (Method method in Method.All)
                outcomes.Add(Run(method, seed, examples, progress.Of(method, seed, outcomes.Count)));
        }
        return outcomes;
    }

    /// <summary>Where a run's adapter is saved.</summary>
    internal string AdapterOf(string method, int seed) => Path.Combine(folder, "runs", $"{method.ToLowerInvariant()}-seed{seed}");

    private Outcome Run(Method method, int seed, IReadOnlyList<ImageExample> examples, IProgress<TrainingProgress> progress)
    {
        using IRecipe<ImageExample> recipe = method.Load(model, device, seed);
        TrainingReport report = recipe.Train(examples, progress);
        string adapter = AdapterOf(method.Name, seed);
        recipe.SaveAdapter(adapter);
        return new Outcome(
            method.Name, report, recipe.Evaluate(heldOut).Accuracy, recipe.Evaluate(corrupted).Accuracy,
            SharpnessProbe.Measure(model, device, adapter, examples));
    }
}

/// <summary>What one run came to.</summary>
/// <param name="Method">The method's name.</param>
/// <param name="Report">Its steps.</param>
/// <param name="HeldOut">Accuracy on the shifted test digits.</param>
/// <param name="Corrupted">Accuracy on the same digits, corrupted.</param>
/// <param name="Probe">How sharp the end point is.</param>
internal sealed record Outcome(string Method, TrainingReport Report, double HeldOut, double Corrupted, SharpnessProbe Probe);
