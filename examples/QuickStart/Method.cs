using FlatPO.Recipes.Training;
using TorchSharp;

namespace FlatPO.Recipes.Examples.QuickStart;

/// <summary>A way to train. The three generated classes share their members' names but no type, so each is wrapped once, here.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Load">Loads its recipe from a model folder, on a device, with a seed.</param>
internal sealed record Method(string Name, Func<string, torch.Device, int, Learner> Load)
{
    internal static IReadOnlyList<Method> All { get; } =
    [
        new("AdamW", (model, device, seed) =>
        {
            ShiftedDigitsAdamW recipe = ShiftedDigitsAdamW.Load(model, device, new() { Seed = seed });
            return new Learner(recipe, (examples, progress) => recipe.Train(examples, progress), recipe.Evaluate, recipe.SaveAdapter);
        }),
        new("SAM", (model, device, seed) =>
        {
            ShiftedDigitsSam recipe = ShiftedDigitsSam.Load(model, device, new() { Seed = seed });
            return new Learner(recipe, (examples, progress) => recipe.Train(examples, progress), recipe.Evaluate, recipe.SaveAdapter);
        }),
        new("FlatPO", (model, device, seed) =>
        {
            ShiftedDigitsFlatPO recipe = ShiftedDigitsFlatPO.Load(model, device, new() { Seed = seed });
            return new Learner(recipe, (examples, progress) => recipe.Train(examples, progress), recipe.Evaluate, recipe.SaveAdapter);
        }),
    ];
}

/// <summary>A loaded recipe, whichever it is.</summary>
internal sealed record Learner(
    IDisposable Recipe,
    Func<IReadOnlyList<ImageExample>, IProgress<TrainingProgress>, TrainingReport> Train,
    Func<IReadOnlyList<ImageExample>, Evaluation> Evaluate,
    Action<string> SaveAdapter) : IDisposable
{
    public void Dispose() => Recipe.Dispose();
}
