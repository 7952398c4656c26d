using FlatPO.Recipes.Adapters.Merging;
using FlatPO.Recipes.Backbones;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>Adapters added into the weights of their backbone: in a checkpoint of their own, or in memory for a while.</summary>
public static class AdapterMerging
{
    /// <inheritdoc cref="MergedCheckpoint.Write"/>
    public static void MergeInto(this AdapterPlacement placement, string folder, long? maxShardBytes = null) => MergedCheckpoint.Write(placement, folder, maxShardBytes);

    /// <summary>
    /// Adds the adapters into the backbone's weights in memory until the returned scope is left. Before, the merged weights answer the backbone's <see cref="Backbone.Probe"/> beside the
    /// adapted ones: FPO4015 where they disagree, and FPO4013, FPO4019 and FPO4022 as for a merged checkpoint. Within it the adapters are not trained, loaded or merged anew: FPO4022.
    /// </summary>
    public static MergedWeights Merge(this AdapterPlacement placement)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Dictionary<string, Tensor> merged = MergedWeights.Of(placement);
        MergeProof.Require(placement, merged);
        return new MergedWeights(placement, merged, owned: true);
    }
}
