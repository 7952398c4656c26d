using FlatPO.Recipes;
using FlatPO.Recipes.Batches;
using FlatPO.Recipes.Native;
using FlatPO.Recipes.Training;
using TorchSharp;

namespace Recipes.Tests;

/// <summary>A recipe on its golden backbone with a few examples to train on.</summary>
internal abstract record MethodRow
{
    /// <summary>A fresh copy, in the state it begins in.</summary>
    internal abstract IDisposable Load();

    /// <summary>Ten steps on a window of all examples, beside ten by hand on a second copy.</summary>
    internal abstract MethodRun Train(IDisposable recipe);
}

/// <inheritdoc/>
internal sealed record MethodRow<TExample, TBatch>(string Backbone, Func<string, torch.Device, IRecipe<TExample>> Open, Func<TExample[]> Examples) : MethodRow
    where TBatch : IBatch
{
    internal override IRecipe<TExample> Load() => Open(Golden.Backbone(Backbone), Devices.Cpu);

    internal override MethodRun Train(IDisposable recipe)
    {
        TExample[] examples = Examples();
        var trained = (IRecipe<TExample>)recipe;
        using IRecipe<TExample> copy = Load();
        HandFlatPO<TExample, TBatch> hand = new(copy);
        double before = trained.Evaluate(examples).Loss;
        TrainingReport report = trained.Train(examples);
        HandStep[] byHand = [.. report.Steps.Select(step => hand.Step([.. RunSeed.Shuffle(examples.Length, seed: 0, step.Epoch).Select(place => examples[place])]))];
        return new MethodRun(before, trained.Evaluate(examples).Loss, report.Steps, byHand);
    }
}

/// <summary>What came of it.</summary>
/// <param name="Before">The loss before.</param>
/// <param name="After">The loss afterwards.</param>
/// <param name="Steps">What the recipe reported of its steps.</param>
/// <param name="ByHand">What the steps by hand found.</param>
internal sealed record MethodRun(double Before, double After, IReadOnlyList<StepRecord> Steps, IReadOnlyList<HandStep> ByHand);
