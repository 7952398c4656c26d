using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Backbones;

/// <summary>The labels a classifier's configuration knows.</summary>
internal static class LabelRange
{
    /// <summary>Throws FPO3013 for a label the network does not have.</summary>
    internal static void CheckLabel(this ModelConfig config, int label, int row)
    {
        if (label < 0 || label >= config.Labels)
            throw new RecipeException("FPO3013", $"example {row} has label {label}; allowed are 0 to {config.Labels - 1}, the labels of {config.Path}");
    }
}
