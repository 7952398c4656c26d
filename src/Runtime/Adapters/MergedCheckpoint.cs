using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>A checkpoint in Hugging Face layout with the adapters added into the weights (peft's <c>merge_and_unload</c>, written out).</summary>
public static class MergedCheckpoint
{
    /// <summary>
    /// Writes weights and config.json, and copies the tokenizer and preprocessor files of the backbone's folder. More than <paramref name="maxShardBytes"/> bytes of weights go
    /// into several files with an index; weights of an older export are removed from the folder once the new ones are there. The placement itself is unchanged: there is nothing to unmerge.
    /// Before anything is written the merged weights answer the backbone's <see cref="Backbone.Probe"/> beside the adapted ones: FPO4015 where they disagree. Throws FPO4012 for the backbone's own folder,
    /// FPO4013 where a checkpoint has no place for what was trained, FPO4016 for a limit below 1 and FPO4019 for an adapter of an <see cref="AdapterCollection"/> that is not
    /// active.
    /// </summary>
    public static void Write(AdapterPlacement placement, string folder, long maxShardBytes = CheckpointWriter.DefaultShardBytes)
    {
        Backbone backbone = placement.Backbone;
        string source = Path.GetDirectoryName(backbone.Config.Path)!;
        if (Path.GetFullPath(folder) == Path.GetFullPath(source))
            throw new RecipeException("FPO4012", $"'{folder}' is the backbone's own folder; choose another one to write the merged checkpoint to");
        if (!placement.Attached)
            throw new RecipeException("FPO4019", "the adapter is not the active one of its collection, so that its merged weights cannot be compared with it; activate it first");
        if (placement.Placed.Select(pair => pair.Site).Concat(placement.Whole).FirstOrDefault(site => site.Weights.Any(weight => weight.IsShared) && IsMergedInto(placement, site)) is { } tied)
            throw new RecipeException("FPO4013", $"{tied.Module} shares its numbers with another module (embedding and head are tied), so a checkpoint cannot hold its trained numbers apart; save the adapter instead, or train other modules");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Dictionary<string, Tensor> merged = Merged(placement);
        MergeProof.Require(placement, merged);
        Dictionary<string, byte[]> others = Directory.EnumerateFiles(source).Where(BelongsToModel).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
        if (others.TryGetValue(ModelConfig.FileName, out byte[]? config))
            others[ModelConfig.FileName] = ConfigFormat.Say(backbone.Weights.Dtype, config);
        CheckpointWriter.Write(folder, [.. backbone.Weights.All.Select(weight => KeyValuePair.Create(weight.Name, merged[weight.Name]))], others, maxShardBytes);
    }

    /// <summary>Every weight of the checkpoint by name: frozen, trained whole, or frozen with its adapter merged.</summary>
    private static Dictionary<string, Tensor> Merged(AdapterPlacement placement)
    {
        Dictionary<string, Tensor> tensors = placement.Backbone.Weights.All.ToDictionary(
            weight => weight.Name, weight => weight.Trainable is { } trained ? trained.Value.to_type(weight.Frozen.dtype) : weight.Frozen);
        foreach ((Site site, Adapter adapter) in placement.Placed)
            foreach ((Weight weight, Tensor merged) in adapter.Merge(site))
                tensors[weight.Name] = merged.to_type(weight.Frozen.dtype);
        return tensors;
    }

    // A bias trained alone leaves the shared weight as it is.
    private static bool IsMergedInto(AdapterPlacement placement, Site site) =>
        site.Weights.Any(weight => weight.IsShared && weight.Trainable is not null) || placement.Placed.Any(pair => pair.Site == site && pair.Adapter is not TrainedWeights);

    private static bool BelongsToModel(string file) =>
        Path.GetExtension(file) is ".json" or ".txt" or ".model" or ".jinja" && !file.EndsWith(".index.json", StringComparison.Ordinal);
}
