using Benchmarks;
using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Batches;

namespace Step;

/// <summary>What there is to do on one example.</summary>
/// <param name="Tokens">Tokens of its text, an image's own among them.</param>
/// <param name="Supervised">Tokens to predict.</param>
/// <param name="Patches">Patches of its images.</param>
internal readonly record struct Work(long Tokens, long Supervised, long Patches)
{
    internal static Work Of(TokenExample example) => new(example.InputIds.Count, example.InputIds.Count - 1, 0);

    internal static Work Of(MultimodalExample example) => new(
        example.InputIds.Count,
        (example.Labels ?? example.InputIds).Skip(1).Count(label => label != TokenBatch.Unsupervised),
        example.Images.Sum(image => (long)image.Grid.Count));
}

/// <summary>
/// Floating-point operations of a pass over frozen weights: 2 a weight and token forward, 2 backward, where only what flows through is differentiated. The head works where something is to
/// be predicted; a tower that sees has nothing to train and works forward alone. Attention's own products are not counted.
/// </summary>
internal sealed class PassOperations
{
    private const string Vision = "model.visual.", Merger = Vision + "merger.";
    private const int PatchesOfAToken = 4;

    private readonly long layers, head, vision, merger;

    internal PassOperations(RandomCheckpoint checkpoint)
    {
        layers = Count(linear => !linear.Module.StartsWith(Vision, StringComparison.Ordinal) && linear.Role != Sites.Head);
        head = Count(linear => linear.Role == Sites.Head);
        merger = Count(linear => linear.Module.StartsWith(Merger, StringComparison.Ordinal));
        long kernels = checkpoint.Weights.Where(weight => weight.Shape.Count > 2).Sum(weight => weight.Shape.Aggregate(1L, (product, size) => product * size));
        vision = Count(linear => linear.Module.StartsWith(Vision, StringComparison.Ordinal)) - merger + kernels;

        long Count(Func<Projection, bool> which) => checkpoint.Projections.Where(which).Sum(linear => linear.In * linear.Out);
    }

    internal double Of(Work work) => 4.0 * (layers * work.Tokens + head * work.Supervised) + 2.0 * (vision * work.Patches + merger * (work.Patches / PatchesOfAToken));
}
