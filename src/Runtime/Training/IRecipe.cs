using FlatPO.Recipes.Adapters;
using FlatPO.Recipes.Training;

namespace FlatPO.Recipes;

/// <summary>
/// What every generated recipe can do, for programs that treat several alike. A recipe's own class says more: typed adapters, its settings, the plan.
/// </summary>
public interface IRecipe<TExample> : IDisposable
{
    /// <summary>Trains the adapters; <paramref name="cancellation"/> ends the run between two steps, with unperturbed weights.</summary>
    TrainingReport Train(IReadOnlyList<TExample> examples, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default);

    /// <summary>The loss and the task's measure on examples that are not trained on.</summary>
    Evaluation Evaluate(IReadOnlyList<TExample> examples);

    /// <summary>Writes the adapters in PEFT's layout.</summary>
    void SaveAdapter(string folder);

    /// <summary>Reads adapters in PEFT's layout; they must fit the recipe tensor by tensor.</summary>
    void LoadAdapter(string folder);
}

/// <summary>A recipe whose adapters can be added into its backbone's weights.</summary>
public interface IMergeable
{
    /// <summary>
    /// Writes a checkpoint in Hugging Face layout with the adapters merged into the backbone, in files of at most <paramref name="maxShardBytes"/> bytes of weights (5 GB unless given). The
    /// recipe itself stays as it is: its backbone keeps the frozen numbers and its adapters theirs, and it trains on.
    /// </summary>
    void Merge(string folder, long? maxShardBytes = null);

    /// <summary>
    /// Merges the adapters in memory until the returned scope is left: the recipe evaluates and generates at the base model's cost, and does not train (FPO4022). Leaving it unmerges
    /// them, bit for bit. Memory for a second copy of the changed weights is needed meanwhile.
    /// </summary>
    MergedWeights Merge();
}
