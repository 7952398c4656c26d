using System.Text.Json;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Adapters.Config;
using FlatPO.Recipes.Adapters.Peft;
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

    /// <summary>
    /// Writes the adapters as they are now. Each file is replaced whole or left as it was; the weights go first. Of several methods one that names modules is in the folder itself, each
    /// other in a folder within it, named by its <c>peft_type</c> in small letters: peft reads each.
    /// </summary>
    public static void Save(this AdapterPlacement placement, string folder)
    {
        foreach (AdapterPart part in Some(placement, "nothing to save"))
            SavePart(placement, part, FolderOf(placement, part, folder));
    }

    /// <summary>
    /// Reads an adapter of the same methods and placement. Everything is checked before the first number is changed: FPO4010 lists missing, unexpected and
    /// misshapen tensors, FPO4011 names a setting that differs, FPO4022 says that the adapters are merged in memory. Entries of a peft that this library does not know are kept
    /// (<see cref="AdapterPlacement.ForeignEntries"/>) and warned about once, to <see cref="System.Diagnostics.Trace"/>'s listeners.
    /// </summary>
    public static void Load(this AdapterPlacement placement, string folder)
    {
        placement.RequireUnmerged();
        using var scope = NewDisposeScope();
        Action[] take = [.. Some(placement, "nothing to load into").Select(part => ReadPart(placement, part, FolderOf(placement, part, folder)))];
        using var noGrad = no_grad();
        foreach (Action each in take)
            each();
    }

    /// <summary>
    /// Places on <paramref name="backbone"/> the adapters that a folder describes, with its numbers. Throws what <see cref="Load"/> throws, and FPO4011 for a module the
    /// backbone does not have; it then carries what it carried before.
    /// </summary>
    public static AdapterPlacement Place(Backbone backbone, string folder) => AdapterPlacement.Built(backbone, placement =>
    {
        PlacePart(placement, AdapterConfig.Read(folder));
        foreach (string further in PeftMethods.Types.Select(type => Path.Combine(folder, NameOf(type))).Where(path => File.Exists(Path.Combine(path, AdapterConfig.FileName))))
            PlacePart(placement, AdapterConfig.Read(further));
        placement.Load(folder);
    });

    private static void PlacePart(AdapterPlacement placement, AdapterConfig config)
    {
        (AdapterMethod method, IReadOnlyList<Site> sites) = PeftMethods.From(config, placement.Backbone);
        foreach (Site site in sites)
            placement.Place(method, site);
        foreach (Site site in config.Texts("modules_to_save").SelectMany(name => TargetModules.Whole(placement.Backbone, config, name)).Distinct())
            placement.TrainWhole(site.Module);
        foreach (Site site in placement.Backbone.Weights.AllSites.Where(site => !site.IsTaken))
            placement.TrainElsewhere(method, site.Module);
    }

    private static IReadOnlyList<AdapterPart> Some(AdapterPlacement placement, string none) =>
        placement.Parts.Count > 0 ? placement.Parts : throw new RecipeException("FPO1008", $"{none}: no adapter was placed");

    private static string FolderOf(AdapterPlacement placement, AdapterPart part, string folder) =>
        part == placement.Main ? folder : Path.Combine(folder, NameOf(part.Method.PeftType));

    private static string NameOf(string peftType) => peftType.ToLowerInvariant();

    private static void SavePart(AdapterPlacement placement, AdapterPart part, string folder)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), placement.FileTensors(part).ToDictionary(tensor => tensor.Name, tensor => tensor.Write()));
        JsonObject entries = Config(placement, part);
        foreach ((string key, JsonNode value) in part.ForeignEntries)
            entries.TryAdd(key, value.DeepClone());
        byte[] config = JsonSerializer.SerializeToUtf8Bytes(entries, Readable);
        AtomicFile.Write(Path.Combine(folder, AdapterConfig.FileName), file => file.Write(config));
    }

    /// <summary>Reads and checks a part's folder; the returned action, run under <c>no_grad</c>, puts the numbers in their place.</summary>
    private static Action ReadPart(AdapterPlacement placement, AdapterPart part, string folder)
    {
        AdapterConfig config = AdapterConfig.Read(folder);
        if (config.PeftType != part.Method.PeftType)
            throw config.Invalid("peft_type", $"\"{part.Method.PeftType}\", the method of this recipe");
        part.Method.CheckConfig(config, part.Sites);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        IReadOnlyList<FileTensor> tensors = placement.FileTensors(part);
        Dictionary<string, string> sources = Sources(placement, part, file);
        tensors = [.. tensors.Where(tensor => sources.ContainsKey(tensor.Name) && !tensor.IsCopy)];
        Tensor[] numbers = [.. tensors.Select(tensor => file.Read(sources[tensor.Name], placement.Backbone.Device, ScalarType.Float32))];
        return () =>
        {
            for (int i = 0; i < numbers.Length; i++)
                tensors[i].Read(numbers[i]);
            part.ForeignEntries = PeftEntries.Foreign(config, part.Method, Config(placement, part));
        };
    }

    private static JsonObject Config(AdapterPlacement placement, AdapterPart part)
    {
        Backbone backbone = placement.Backbone;
        IReadOnlyList<Site> whole = part == placement.Main ? placement.Whole : [];
        JsonObject config = new()
        {
            ["peft_type"] = part.Method.PeftType,
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
            ["modules_to_save"] = whole.Count == 0 ? null : new JsonArray([.. TargetModules.DescribeWhole(backbone, whole).Select(module => JsonValue.Create(module))]),
        };
        if (part.Method.NamesTargets)
            WriteTargets(config, backbone, part);
        part.Method.WriteConfig(config, part.Sites);
        return config;
    }

    private static void WriteTargets(JsonObject config, Backbone backbone, AdapterPart part)
    {
        (IReadOnlyList<string> targets, IReadOnlyList<int> layers) = TargetModules.Describe(backbone, part.Sites, part.Method.SelectsLayers);
        config["target_modules"] = new JsonArray([.. targets.Select(target => JsonValue.Create(target))]);
        if (!part.Method.SelectsLayers)
            return;
        config["layers_to_transform"] = layers.Count == 0 ? null : new JsonArray([.. layers.Select(layer => JsonValue.Create(layer))]);
        config["layers_pattern"] = null;
    }

    /// <summary>For each trainable tensor the name it has in the file: by transformers 5's modules or by 4's.</summary>
    private static Dictionary<string, string> Sources(AdapterPlacement placement, AdapterPart part, SafetensorsFile file)
    {
        Dictionary<string, string> sources = [];
        List<string> wrong = [];
        HashSet<string> unexpected = [.. file.Entries.Keys];
        foreach (FileTensor tensor in placement.FileTensors(part))
        {
            string? name = Names(placement, part, tensor.Name).FirstOrDefault(file.Entries.ContainsKey);
            if (name is null)
            {
                if (!tensor.IsCopy)
                    wrong.Add($"missing '{tensor.Name}'");
                continue;
            }
            unexpected.Remove(name);
            if (!file.Entries[name].Shape.SequenceEqual(tensor.Shape))
                wrong.Add($"'{name}' has shape [{string.Join(", ", file.Entries[name].Shape)}]; expected [{string.Join(", ", tensor.Shape)}]");
            else if (tensor.IsCopy && file.Read(name, placement.Backbone.Device, tensor.Write().dtype) is var copy && copy.ne(tensor.Write()).any().item<bool>())
                wrong.Add($"'{name}' holds other numbers than the checkpoint: train it whole (modules_to_save), or load the checkpoint that the adapter was trained on");
            else
                sources[tensor.Name] = name;
        }
        wrong.AddRange(unexpected.Order(StringComparer.Ordinal).Select(name => $"unexpected '{name}'"));
        return wrong.Count == 0
            ? sources
            : throw new RecipeException("FPO4010", $"{file.Path} does not fit this recipe's adapters on {placement.Backbone.Config.Path} (another base model or other sites?): {Shortened(wrong)}");
    }

    private static IEnumerable<string> Names(AdapterPlacement placement, AdapterPart part, string name)
    {
        string prefix = part.Method.FilePrefix;
        yield return name;
        foreach (Site site in placement.Backbone.Weights.AllSites)
            if (site.Published != site.Module && name.StartsWith($"{prefix}{site.Module}.", StringComparison.Ordinal))
                yield return prefix + site.Published + name[(prefix.Length + site.Module.Length)..];
    }

    private static string Shortened(List<string> lines) =>
        string.Join("; ", lines.Take(12)) + (lines.Count > 12 ? $"; and {lines.Count - 12} more" : "");

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };
}
