using FlatPO.Recipes.Generator.Model;

namespace FlatPO.Recipes.Generator.Rules;

/// <summary>
/// Bytes on the device while a step runs. Weights, arena and optimizer are exact; activations are what the layers' declarations and the adapters say they keep;
/// temporaries of single operators are left out. A test holds the sum against a measured run.
/// </summary>
internal static class MemoryEstimate
{
    /// <summary>Bytes of a float32.</summary>
    private const long Single = 4;

    /// <summary>The runtime's <c>NextTokenLoss.ChunkNumbers</c>.</summary>
    public const long ChunkOfLogits = 1 << 26;

    /// <summary>Bytes of either 16-bit format.</summary>
    private const long Half = 2;

    public static MemoryModel Of(RecipeModel recipe, long frozen, long trainable)
    {
        RunSize run = RunSize.Of(recipe.Declaration).Within(recipe.Backbone.MaxLength);
        long width = IsHalf(recipe.Training) ? Half : Single;
        long batch = Math.Max(1, (long)(recipe.Training?.Number("BatchSize") ?? 1));
        long logits = recipe.Task.PredictsTokens ? Logits(recipe, (batch * run.Length, batch * recipe.Adapter.Towers.Sum(AddedPositions.Computed)), width) : 0;
        TowerLayers[] towers = [.. recipe.Adapter.Towers.Select(tower => new KeptActivations(recipe, tower, width).Of(batch))];
        long everything = towers.Sum(tower => tower.Outside + tower.All), recomputed = RecomputedActivations.Of(towers, logits);
        return new MemoryModel
        {
            BatchSize = batch,
            Length = recipe.Task.ReadsTokens ? run.Length : 0,
            LengthIsDeclared = run.IsDeclared,
            Weights = QuantizedWeights.Bytes(recipe, frozen, width),
            Unpacked = QuantizedWeights.LargestInFull(recipe),
            Arena = trainable * Single * (recipe.Sharpness is null ? 2 : 3) + Copies(recipe, width), // values, gradients, and the copy a climb returns to
            Optimizer = trainable * Single * recipe.Optimizer.OptimizerState,
            Activations = RecomputedActivations.AreAsked(recipe.Training) ? recomputed : everything,
            Recomputable = RecomputedActivations.AreAsked(recipe.Training) ? 0 : everything - recomputed,
            Logits = logits,
        };
    }

    /// <summary>
    /// The logits of a step, as float32 logarithms of their shares and the gradient of those, and in the backbone's format. Where nothing of the head is trained only a
    /// chunk of a text's positions has them at a time, and none of those before it.
    /// </summary>
    private static long Logits(RecipeModel recipe, (long Texts, long Added) positions, long width)
    {
        long vocabulary = Math.Max(1, Vocabulary(recipe.Backbone));
        return IsHeadTrained(recipe)
            ? (positions.Texts + positions.Added) * vocabulary * (2 * Single + width)
            : Math.Min(positions.Texts, Math.Max(1, ChunkOfLogits / vocabulary)) * vocabulary * (2 * Single + (width == Single ? 0 : width));
    }

    private static bool IsHeadTrained(RecipeModel recipe) => recipe.Adapter.Sites.Concat(recipe.Adapter.Elsewhere).Select(placed => placed.Site)
        .Concat(recipe.SavedModules.Select(saved => saved.Site))
        .Any(site => site is { Kind: SiteKind.Linear, InLayers: false } && site.Out == Vocabulary(recipe.Backbone));

    /// <summary>The factors of low-rank updates as products of half-width numbers take them: each number and what it lacks (the runtime's <c>FactorCopies</c>).</summary>
    private static long Copies(RecipeModel recipe, long width) => width == Single ? 0 : 2 * width * recipe.Adapter.Sites
        .SelectMany(placed => placed.Runs).Where(run => run.IsLowRank).Sum(run => run.Places * run.Tensors.Sum(tensor => tensor.Count));

    /// <summary>Whether the frozen backbone is in a 16-bit format.</summary>
    public static bool IsHalf(Annotation? training) => training?.Number("Precision") is not (null or 0);

    private static long Vocabulary(BackboneModel backbone) => backbone.Sites.Where(site => !site.InLayers).Select(site => site.Out).DefaultIfEmpty(0).Max();
}
