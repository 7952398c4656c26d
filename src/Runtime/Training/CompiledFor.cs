using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Training;

/// <summary>Holds the folder a recipe is loaded from against the configuration it was compiled for.</summary>
public static class CompiledFor
{
    /// <summary>Throws FPO4007 where a key of the folder's config.json is not what the compiler saw.</summary>
    public static void Check(string folder, params ReadOnlySpan<(string Key, long Value)> facts)
    {
        ModelConfig config = ModelConfig.Open(folder);
        foreach ((string key, long value) in facts)
            if (config.Int(key) != value)
                throw new RecipeException("FPO4007", $"{config.Path}: {key} is {config.Int(key)}, but the recipe was compiled for {value}; name that model in [Backbone] and build again");
    }
}
