using System.Text.Json;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>
/// An adapter folder as peft reads and writes it: adapter_config.json and adapter_model.safetensors. Tensors are named by transformers 5's modules;
/// the names of transformers 4 are read as well.
/// </summary>
public static class PeftFolder
{
    private const string WeightsFile = "adapter_model.safetensors";
    private const string Prefix = "base_model.model.";

    /// <summary>Writes the adapters as they are now. Each file is replaced whole or left as it was; the weights go first.</summary>
    public static void Save(AdapterPlacement placement, string folder)
    {
        AdapterMethod method = placement.Method ?? throw new RecipeException("FPO1008", "nothing to save: no adapter was placed");
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), FileTensors(placement).ToDictionary(tensor => Prefix + tensor.Name, tensor => tensor.Write()));
        byte[] config = JsonSerializer.SerializeToUtf8Bytes(Config(placement, method), Readable);
        AtomicFile.Write(Path.Combine(folder, AdapterConfig.FileName), file => file.Write(config));
    }

    /// <summary>
    /// Reads an adapter of the same method and placement. Everything is checked before the first number is changed: FPO4010 lists missing, unexpected and
    /// misshapen tensors, FPO4011 names a setting that differs.
    /// </summary>
    public static void Load(AdapterPlacement placement, string folder)
    {
        AdapterConfig config = AdapterConfig.Read(folder);
        AdapterMethod method = placement.Method ?? throw new RecipeException("FPO1008", "nothing to load into: no adapter was placed");
        if (config.PeftType != method.PeftType)
            throw config.Invalid("peft_type", $"\"{method.PeftType}\", the method of this recipe");
        method.CheckConfig(config, placement.AdaptedSites);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        FileTensor[] tensors = FileTensors(placement);
        Dictionary<string, string> sources = Sources(placement, tensors, file);
        using var scope = NewDisposeScope();
        Tensor[] numbers = [.. tensors.Select(tensor => file.Read(sources[tensor.Name], placement.Backbone.Device, ScalarType.Float32))];
        using (no_grad())
            for (int i = 0; i < numbers.Length; i++)
                tensors[i].Read(numbers[i]);
    }

    /// <summary>Places on <paramref name="backbone"/> the adapters that a folder describes, with its numbers.</summary>
    public static AdapterPlacement Place(Backbone backbone, string folder)
    {
        AdapterConfig config = AdapterConfig.Read(folder);
        IReadOnlyList<Projection> sites = PeftTargets.Match(backbone, config);
        AdapterMethod method = PeftMethods.From(config, sites);
        AdapterPlacement placement = new(backbone, seed: 0);
        foreach (Projection site in sites)
            method.PlaceOn(placement, site.Module);
        foreach (Projection site in config.Texts("modules_to_save").SelectMany(name => PeftTargets.Whole(backbone, config, name)).Distinct())
            placement.TrainWhole(site.Module);
        foreach (Projection site in backbone.Weights.Projections.Except([.. sites, .. placement.Whole]))
            placement.TrainElsewhere(method, site.Module);
        Load(placement, folder);
        return placement;
    }

    private static JsonObject Config(AdapterPlacement placement, AdapterMethod method)
    {
        Backbone backbone = placement.Backbone;
        (IReadOnlyList<string> targets, IReadOnlyList<int> layers) = PeftTargets.Describe(backbone, placement.AdaptedSites, method.SelectsLayers);
        JsonObject config = new()
        {
            ["peft_type"] = method.PeftType,
            ["task_type"] = backbone.PeftTaskType,
            ["auto_mapping"] = backbone.PeftTaskType is not null || backbone.Config.Architectures is not [string architecture, ..] ? null : new JsonObject
            {
                ["base_model_class"] = architecture,
                ["parent_library"] = $"transformers.models.{backbone.Config.ModelType}.modeling_{backbone.Config.ModelType}",
            },
            ["base_model_name_or_path"] = placement.BaseModel,
            ["revision"] = null,
            ["inference_mode"] = true,
            ["fan_in_fan_out"] = false,
            ["target_modules"] = new JsonArray([.. targets.Select(target => JsonValue.Create(target))]),
            ["modules_to_save"] = placement.Whole.Count == 0 ? null : new JsonArray([.. PeftTargets.DescribeWhole(backbone, placement.Whole).Select(module => JsonValue.Create(module))]),
        };
        if (method.SelectsLayers)
        {
            config["layers_to_transform"] = layers.Count == 0 ? null : new JsonArray([.. layers.Select(layer => JsonValue.Create(layer))]);
            config["layers_pattern"] = null;
        }
        method.WriteConfig(config, placement.AdaptedSites);
        return config;
    }

    /// <summary>What each adapter layer says of the file, and the modules trained whole.</summary>
    private static FileTensor[] FileTensors(AdapterPlacement placement)
    {
        IEnumerable<TrainableTensor> whole = placement.Tensors.Except(placement.Placed.SelectMany(pair => pair.Layer.Tensors));
        return [.. placement.Placed.SelectMany(pair => pair.Layer.FileTensors), .. whole.Select(FileTensor.Of)];
    }

    /// <summary>For each tensor of the file the name it has there: by transformers 5's modules or by 4's.</summary>
    private static Dictionary<string, string> Sources(AdapterPlacement placement, FileTensor[] tensors, SafetensorsFile file)
    {
        Dictionary<string, string> sources = [];
        List<string> wrong = [];
        HashSet<string> unexpected = [.. file.Entries.Keys];
        foreach (FileTensor tensor in tensors)
        {
            string? name = Names(placement, tensor).Select(candidate => Prefix + candidate).FirstOrDefault(file.Entries.ContainsKey);
            if (name is null)
            {
                wrong.Add($"missing '{Prefix}{tensor.Name}'");
                continue;
            }
            unexpected.Remove(name);
            if (!file.Entries[name].Shape.SequenceEqual(tensor.Shape))
                wrong.Add($"'{name}' has shape [{string.Join(", ", file.Entries[name].Shape)}]; expected [{string.Join(", ", tensor.Shape)}]");
            else
                sources[tensor.Name] = name;
        }
        wrong.AddRange(unexpected.Order(StringComparer.Ordinal).Select(name => $"unexpected '{name}'"));
        return wrong.Count == 0
            ? sources
            : throw new RecipeException("FPO4010", $"{file.Path} does not fit this recipe's adapters on {placement.Backbone.Config.Path} (another base model or other sites?): {Shortened(wrong)}");
    }

    private static IEnumerable<string> Names(AdapterPlacement placement, FileTensor tensor)
    {
        yield return tensor.Name;
        foreach (Projection site in placement.Backbone.Weights.Projections)
            if (site.Published != site.Module && tensor.Name.StartsWith($"{site.Module}.", StringComparison.Ordinal))
                yield return site.Published + tensor.Name[site.Module.Length..];
    }

    private static string Shortened(List<string> lines) =>
        string.Join("; ", lines.Take(12)) + (lines.Count > 12 ? $"; and {lines.Count - 12} more" : "");

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };
}
