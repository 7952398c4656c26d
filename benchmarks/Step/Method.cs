using FlatPO.Recipes;
using FlatPO.Recipes.Training;

namespace Step;

/// <summary>Rows and tokens of a batch.</summary>
internal readonly record struct Shape(int Rows, int Tokens);

/// <summary>What one run of a recipe is given.</summary>
internal sealed record Run<TExample>(TExample[] Examples, Shape Shape, BlockClock Clock, bool Checkpointing);

/// <summary>A way to train: a recipe of its own.</summary>
/// <param name="Name">As the peer calls it.</param>
/// <param name="Passes">Forward and backward passes of a step.</param>
/// <param name="Load">Loads the recipe from a folder.</param>
internal sealed record Method<TExample>(string Name, int Passes, Func<string, Loaded<TExample>> Load)
{
    internal static Method<TExample> Of<TRecipe>(string name, int passes, Func<string, TRecipe> load, Func<TRecipe, Run<TExample>, TrainingReport> train)
        where TRecipe : IRecipe<TExample> => new(name, passes, folder =>
        {
            TRecipe recipe = load(folder);
            return new Loaded<TExample>(recipe, run => train(recipe, run));
        });
}

/// <summary>A loaded recipe and how it trains on batches of any shape.</summary>
internal sealed record Loaded<TExample>(IRecipe<TExample> Recipe, Func<Run<TExample>, TrainingReport> Train) : IDisposable
{
    public void Dispose() => Recipe.Dispose();
}
