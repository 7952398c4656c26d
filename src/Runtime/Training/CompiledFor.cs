using FlatPO.Recipes.Checkpoints;

namespace FlatPO.Recipes.Training;

/// <summary>Holds the folder a recipe is loaded from against the configuration it was compiled for.</summary>
public static class CompiledFor
{
    /// <summary>Throws FPO4005 for another model_type, FPO4007 where a key of the folder's config.json is not what the compiler saw.</summary>
    public static void Check(string folder, string modelType, params ReadOnlySpan<(string Key, long Value)> facts)
    {
        ModelConfig config = ModelConfig.Open(folder);
        if (config.ModelType != modelType)
            throw new RecipeException("FPO4005", $"{config.Path} is of model_type '{config.ModelType}', but the recipe was compiled for '{modelType}'; name that model in [Backbone] and build again");
        foreach ((string key, long value) in facts)
            if (Find(config, key) is var found && found != value)
                throw new RecipeException("FPO4007", $"{config.Path}: {key} is {(found is null ? "missing" : found)}, but the recipe was compiled for {value}; name that model in [Backbone] and build again");
    }

    // A decoder's keys are in text_config where transformers 5 wrote the file, at the top where the model's authors did: the same model either way.
    private static long? Find(ModelConfig config, string key)
    {
        const string Section = "text_config.";
        string elsewhere = key.StartsWith(Section, StringComparison.Ordinal) ? key[Section.Length..] : Section + key;
        return config.Has(key) ? config.Int(key) : config.Has(elsewhere) ? config.Int(elsewhere) : null;
    }
}
