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
    /// <summary>The peft whose layout is written (<c>peft_version</c>).</summary>
    public const string PeftVersion = "0.21.0";

    private const string WeightsFile = "adapter_model.safetensors";

    /// <summary>Writes the adapters as they are now. Each file is replaced whole or left as it was; the weights go first.</summary>
    public static void Save(AdapterPlacement placement, string folder)
    {
        AdapterMethod method = placement.Method ?? throw new RecipeException("FPO1008", "nothing to save: no adapter was placed");
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), placement.FileTensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Write()));
        JsonObject entries = Config(placement, method);
        foreach ((string key, JsonNode value) in placement.ForeignEntries)
            entries.TryAdd(key, value.DeepClone());
        byte[] config = JsonSerializer.SerializeToUtf8Bytes(entries, Readable);
        AtomicFile.Write(Path.Combine(folder, AdapterConfig.FileName), file => file.Write(config));
    }

    /// <summary>
    /// Reads an adapter of the same method and placement. Everything is checked before the first number is changed: FPO4010 lists missing, unexpected and
    /// misshapen tensors, FPO4011 names a setting that differs. Entries of a peft that this library does not know are kept
    /// (<see cref="AdapterPlacement.ForeignEntries"/>) and warned about once, to <see cref="System.Diagnostics.Trace"/>'s listeners.
    /// </summary>
    public static void Load(AdapterPlacement placement, string folder)
    {
        AdapterConfig config = AdapterConfig.Read(folder);
        AdapterMethod method = placement.Method ?? throw new RecipeException("FPO1008", "nothing to load into: no adapter was placed");
        if (config.PeftType != method.PeftType)
            throw config.Invalid("peft_type", $"\"{method.PeftType}\", the method of this recipe");
        method.CheckConfig(config, placement.AdaptedSites);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        Dictionary<string, string> sources = Sources(placement, file);
        using var scope = NewDisposeScope();
        IReadOnlyList<FileTensor> tensors = placement.FileTensors;
        Tensor[] numbers = [.. tensors.Select(tensor => file.Read(sources[tensor.Name], placement.Backbone.Device, ScalarType.Float32))];
        using (no_grad())
            for (int i = 0; i < numbers.Length; i++)
                tensors[i].Read(numbers[i]);
        placement.ForeignEntries = PeftEntries.Foreign(config, method, Config(placement, method));
    }

    /// <summary>
    /// Places on <paramref name="backbone"/> the adapters that a folder describes, with its numbers. Throws what <see cref="Load"/> throws, and FPO4011 for a module the
    /// backbone does not have; it then carries what it carried before.
    /// </summary>
    public static AdapterPlacement Place(Backbone backbone, string folder)
    {
        AdapterConfig config = AdapterConfig.Read(folder);
        (AdapterMethod method, IReadOnlyList<Site> sites) = PeftMethods.From(config, backbone);
        return AdapterPlacement.Built(backbone, placement =>
        {
            foreach (Site site in sites)
                placement.Place(method, site);
            foreach (Site site in config.Texts("modules_to_save").SelectMany(name => PeftTargets.Whole(backbone, config, name)).Distinct())
                placement.TrainWhole(site.Module);
            Load(placement, folder);
        });
    }

    private static JsonObject Config(AdapterPlacement placement, AdapterMethod method)
    {
        Backbone backbone = placement.Backbone;
        JsonObject config = new()
        {
            ["peft_type"] = method.PeftType,
            ["peft_version"] = PeftVersion,
            ["task_type"] = backbone.PeftTaskType,
            ["auto_mapping"] = backbone.PeftTaskType is not null || backbone.Config.Architectures is not [string architecture, ..] ? null : new JsonObject
            {
                ["base_model_class"] = architecture,
                ["parent_library"] = $"transformers.models.{backbone.Config.ModelType}.modeling_{backbone.Config.ModelType}",
            },
            ["base_model_name_or_path"] = placement.BaseModel,
            ["revision"] = null,
            ["inference_mode"] = true,
            ["modules_to_save"] = placement.Whole.Count == 0 ? null : new JsonArray([.. PeftTargets.DescribeWhole(backbone, placement.Whole).Select(module => JsonValue.Create(module))]),
        };
        if (method.NamesTargets)
            WriteTargets(config, placement, method);
        method.WriteConfig(config, placement.AdaptedSites);
        return config;
    }

    private static void WriteTargets(JsonObject config, AdapterPlacement placement, AdapterMethod method)
    {
        (IReadOnlyList<string> targets, IReadOnlyList<int> layers) = PeftTargets.Describe(placement.Backbone, placement.AdaptedSites, method.SelectsLayers);
        config["target_modules"] = new JsonArray([.. targets.Select(target => JsonValue.Create(target))]);
        if (!method.SelectsLayers)
            return;
        config["layers_to_transform"] = layers.Count == 0 ? null : new JsonArray([.. layers.Select(layer => JsonValue.Create(layer))]);
        config["layers_pattern"] = null;
    }

    /// <summary>For each trainable tensor the name it has in the file: by transformers 5's modules or by 4's.</summary>
    private static Dictionary<string, string> Sources(AdapterPlacement placement, SafetensorsFile file)
    {
        Dictionary<string, string> sources = [];
        List<string> wrong = [];
        HashSet<string> unexpected = [.. file.Entries.Keys];
        foreach (FileTensor tensor in placement.FileTensors)
        {
            string? name = Names(placement, tensor.Name).FirstOrDefault(file.Entries.ContainsKey);
            if (name is null)
            {
                wrong.Add($"missing '{tensor.Name}'");
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

    private static IEnumerable<string> Names(AdapterPlacement placement, string name)
    {
        string prefix = placement.Method!.FilePrefix;
        yield return name;
        foreach (Site site in placement.AdaptedSites.Concat(placement.Whole))
            if (site.Published != site.Module && name.StartsWith($"{prefix}{site.Module}.", StringComparison.Ordinal))
                yield return prefix + site.Published + name[(prefix.Length + site.Module.Length)..];
    }

    private static string Shortened(List<string> lines) =>
        string.Join("; ", lines.Take(12)) + (lines.Count > 12 ? $"; and {lines.Count - 12} more" : "");

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };
}
