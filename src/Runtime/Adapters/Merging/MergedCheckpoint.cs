using FlatPO.Recipes.Adapters.Merging;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>A checkpoint in Hugging Face layout with the adapters added into the weights (peft's <c>merge_and_unload</c>, written out).</summary>
public static class MergedCheckpoint
{
    /// <summary>
    /// Writes weights and config.json, and copies the tokenizer and preprocessor files of the backbone's folder. More than <paramref name="maxShardBytes"/> bytes of weights (5 GB unless given) go
    /// into several files with an index; weights that are held in 4 bits are written as the bfloat16 numbers they stand for; weights of an older export are removed from the folder once the new ones are there. The placement itself is unchanged: there is nothing to unmerge.
    /// Before anything is written the merged weights answer the backbone's <see cref="Backbone.Probe"/> beside the adapted ones: FPO4015 where they disagree. Throws FPO4012 for the backbone's own folder,
    /// FPO4013 where a checkpoint has no place for what was trained, FPO4016 for a limit below 1, FPO4019 for an adapter of an <see cref="AdapterCollection"/> that is not
    /// active and FPO4022 for one that is merged in memory.
    /// </summary>
    public static void Write(AdapterPlacement placement, string folder, long? maxShardBytes = null)
    {
        Backbone backbone = placement.Backbone;
        string source = Path.GetDirectoryName(backbone.Config.Path)!;
        if (Path.GetFullPath(folder) == Path.GetFullPath(source))
            throw new RecipeException("FPO4012", $"'{folder}' is the backbone's own folder; choose another one to write the merged checkpoint to");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Dictionary<string, Tensor> merged = MergedWeights.Of(placement);
        MergeProof.Require(placement, merged);
        Dictionary<string, byte[]> others = Directory.EnumerateFiles(source).Where(BelongsToModel).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
        if (others.TryGetValue(ModelConfig.FileName, out byte[]? config))
            others[ModelConfig.FileName] = ConfigFormat.Say(backbone.Weights.Dtype, config);
        CheckpointWriter.Write(folder, [.. backbone.Weights.All.Select(weight => KeyValuePair.Create(weight.Name, merged.GetValueOrDefault(weight.Name) ?? weight.Frozen))], others, maxShardBytes ?? CheckpointWriter.DefaultShardBytes);
    }

    private static bool BelongsToModel(string file) =>
        Path.GetExtension(file) is ".json" or ".txt" or ".model" or ".jinja" && !file.EndsWith(".index.json", StringComparison.Ordinal);
}
