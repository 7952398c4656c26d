using System.Text.Json;

namespace FlatPO.Recipes.Checkpoints;

/// <summary>A model's config.json.</summary>
public sealed class ModelConfig
{
    private readonly JsonElement root;

    private ModelConfig(string path, JsonElement root) => (Path, this.root) = (path, root);

    /// <summary>The file it was read from.</summary>
    public string Path { get; }

    /// <summary><c>model_type</c>.</summary>
    public string ModelType => root.GetProperty("model_type").GetString()!;
}
