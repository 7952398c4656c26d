using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Training;

/// <summary>Which settings of a run free the most memory, with numbers from its plan.</summary>
internal static class MemoryAdvice
{
    private const int Said = 3;
    private const int ShortestCut = 16; // tokens under which no text is advised to be cut

    /// <summary>What was planned, and the settings that help most, the best first.</summary>
    internal static string Of(TrainingLoop loop, Backbone backbone)
    {
        string[] most = [.. Settings(loop, backbone).OrderByDescending(setting => setting.Frees).Take(Said).Select(setting => setting.Frees > 0 ? $"{setting.Words} (about {ByteWords.Of(setting.Frees)})" : setting.Words)];
        string planned = loop.Planned is { } plan ? $"planned were {plan}" : "nothing was planned";
        return most.Length == 0 ? $"{planned}, and no setting of the run frees any" : $"{planned}. What frees most: {string.Join("; ", most)}";
    }

    private static IEnumerable<(string Words, long Frees)> Settings(TrainingLoop loop, Backbone backbone)
    {
        long length = loop.MaxLength > 0 ? loop.MaxLength : loop.Planned?.Length ?? 0;
        long batch = Batch(loop, length, plan => plan.Batch), recomputable = Batch(loop, length, plan => plan.Recomputable);
        bool contrasts = backbone is ImageTextModel; // its loss depends on what is in one batch
        int rows = (loop.BatchSize + 1) / 2, parts = loop.GradientAccumulation * ((loop.BatchSize + rows - 1) / rows);
        if (loop.BatchSize > (contrasts ? 2 : 1))
            yield return (contrasts ? $"BatchSize = {rows}, where an image is told from fewer texts" : $"BatchSize = {rows} with GradientAccumulation = {parts}", batch / loop.BatchSize * (loop.BatchSize - rows));
        if (!loop.Checkpointing && (recomputable > 0 || loop.Planned is null))
            yield return ("Checkpointing = true", recomputable);
        if (length / 2 >= ShortestCut && loop.Planned is not { Length: 0 })
            yield return ($"MaxLength = {length / 2}", batch / 2);
        if (backbone.Weights.Dtype == ScalarType.Float32)
            yield return ("Precision = Precision.BFloat16", ((loop.Planned?.Weights ?? 0) + batch) / 2);
    }

    /// <summary>What grows with rows and length, as this run has them.</summary>
    private static long Batch(TrainingLoop loop, long length, Func<PlannedMemory, long> of) => loop.Planned is not { } plan ? 0
        : (long)((double)of(plan) * loop.BatchSize / plan.Rows * (plan.Length > 0 ? (double)length / plan.Length : 1));
}
