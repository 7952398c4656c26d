using System.Reflection;
using System.Text.Json.Nodes;
using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace Memory;

/// <summary>A checkpoint of a published model's sizes with random numbers, in bfloat16, gone when disposed.</summary>
internal sealed class RandomCheckpoint : IDisposable
{
    private RandomCheckpoint(string folder) => Folder = folder;

    internal string Folder { get; }

    /// <summary>The sizes are the catalogue's.</summary>
    internal static RandomCheckpoint Of(string model)
    {
        RandomCheckpoint checkpoint = new(Directory.CreateTempSubdirectory("flatpo-memory-").FullName);
        File.WriteAllText(Path.Combine(checkpoint.Folder, ModelConfig.FileName), Configuration(model).ToJsonString());
        using var scope = NewDisposeScope();
        using WeightTable weights = new(ModelConfig.Open(checkpoint.Folder), CPU, ScalarType.BFloat16);
        using var declared = (Backbone)Activator.CreateInstance(ClassFor(weights.Config.ModelType), weights)!;
        SafetensorsWriter.Write(
            Path.Combine(checkpoint.Folder, Checkpoint.SingleFile), weights.All.ToDictionary(weight => weight.Name, weight => randn([.. weight.Shape]).mul(0.02).to_type(ScalarType.BFloat16)));
        return checkpoint;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>The catalogue's facts, and what no size depends on.</summary>
    private static JsonObject Configuration(string model)
    {
        JsonObject facts = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Catalogue"), "*.json")
            .Select(file => JsonNode.Parse(File.ReadAllText(file))![model]).OfType<JsonObject>().Single();
        facts["num_labels"] = facts["id2label.count"]?.DeepClone() ?? 2;
        facts["rms_norm_eps"] = 1e-6;
        facts["layer_norm_eps"] = 1e-6;
        return facts;
    }

    private static Type ClassFor(string modelType) => typeof(Backbone).Assembly.GetCustomAttributes<DeclaresBackboneAttribute>()
        .Select(declared => declared.Type).Single(type => type.GetCustomAttribute<BackboneFamilyAttribute>()!.ModelType == modelType);
}
