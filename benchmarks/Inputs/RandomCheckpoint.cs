using System.Reflection;
using System.Text.Json.Nodes;
using FlatPO.Recipes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>
/// A checkpoint of a model's sizes with random numbers, in bfloat16, gone when disposed. All tensors are cut from one tile of numbers, so that billions of weights are written as fast as
/// the folder takes them; it lies in shared memory where that has room.
/// </summary>
internal sealed class RandomCheckpoint : IDisposable
{
    private const int TileNumbers = 1 << 25;
    private const int BytesOfANumber = 2;
    private const double Spread = 0.02;
    private const string SharedMemory = "/dev/shm";

    private RandomCheckpoint(JsonObject config)
    {
        using WeightTable weights = Declare(config);
        (Weights, Projections) = (weights.All, weights.Projections);
        long bytes = Weights.Sum(Numbers) * BytesOfANumber;
        string parent = Directory.Exists(SharedMemory) && new DriveInfo(SharedMemory).AvailableFreeSpace > bytes * 5 / 4 ? SharedMemory : Path.GetTempPath();
        Folder = Directory.CreateDirectory(Path.Combine(parent, $"flatpo-{Path.GetRandomFileName()}")).FullName;
    }

    internal string Folder { get; }

    /// <summary>Every tensor in it.</summary>
    internal IReadOnlyList<Weight> Weights { get; }

    /// <summary>The linear layers, those that are tied too.</summary>
    internal IReadOnlyList<Projection> Projections { get; }

    /// <summary>Of a published model, as the catalogue knows it; <paramref name="dropout"/> is the family's own unless given.</summary>
    internal static RandomCheckpoint Of(string model, double? dropout = null)
    {
        JsonObject facts = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Catalogue"), "*.json")
            .Select(file => JsonNode.Parse(File.ReadAllText(file))![model]).OfType<JsonObject>().Single();
        facts["num_labels"] = facts["id2label.count"]?.DeepClone() ?? 2;
        facts["rms_norm_eps"] = 1e-6;
        facts["layer_norm_eps"] = 1e-6;
        if (dropout is { } rate)
            facts["dropout"] = rate;
        return Of(facts);
    }

    /// <summary>Of any model, given its config.json.</summary>
    internal static RandomCheckpoint Of(JsonObject config)
    {
        RandomCheckpoint checkpoint = new(config);
        File.WriteAllText(Path.Combine(checkpoint.Folder, ModelConfig.FileName), config.ToJsonString());
        using var scope = NewDisposeScope();
        using Generator generator = new(1, CPU);
        Tensor tile = randn(TileNumbers, generator: generator).mul_(Spread).to_type(ScalarType.BFloat16);
        long next = 0;
        SafetensorsWriter.Write(Path.Combine(checkpoint.Folder, Checkpoint.SingleFile), checkpoint.Weights.ToDictionary(weight => weight.Name, weight => Cut(tile, weight, ref next)));
        return checkpoint;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static WeightTable Declare(JsonObject config)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("flatpo-config-");
        File.WriteAllText(Path.Combine(folder.FullName, ModelConfig.FileName), config.ToJsonString());
        WeightTable weights = new(ModelConfig.Open(folder.FullName), CPU, ScalarType.BFloat16);
        folder.Delete(recursive: true);
        _ = Activator.CreateInstance(ClassFor(weights.Config.ModelType), weights);
        return weights;
    }

    // A tensor of its own place in the tile; of one that is larger than the tile, the rows overlap. A norm's weight is about 1.
    private static Tensor Cut(Tensor tile, Weight weight, ref long next)
    {
        long[] shape = [.. weight.Shape];
        long numbers = Numbers(weight);
        if (numbers > TileNumbers)
            return tile.as_strided(shape, [(TileNumbers - shape[1]) / shape[0], 1]);
        next = next + numbers > TileNumbers ? 0 : next;
        Tensor cut = tile.narrow(0, next, numbers).view(shape);
        next += numbers;
        return shape.Length == 1 && weight.Name.EndsWith(".weight", StringComparison.Ordinal) ? cut.add(1) : cut;
    }

    private static long Numbers(Weight weight) => weight.Shape.Aggregate(1L, (product, size) => product * size);

    private static Type ClassFor(string modelType) => typeof(Backbone).Assembly.GetCustomAttributes<DeclaresBackboneAttribute>()
        .Select(declared => declared.Type).Single(type => type.GetCustomAttribute<BackboneFamilyAttribute>()!.ModelType == modelType);
}
