using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;

namespace FlatPO.Recipes.Adapters;

/// <summary>What one method placed, told from others by its <c>peft_type</c>: most placements have one part. An adapter folder holds one.</summary>
internal sealed class AdapterPart(AdapterMethod method)
{
    // peft utils/other.py, EMBEDDING_LAYER_NAMES: get_peft_model_state_dict saves these modules' own weights with an adapter that sits there
    private static readonly string[] SavedBeside = ["embed_tokens", "lm_head"];

    private readonly List<(Site Site, Adapter Adapter)> placed = [];

    internal AdapterMethod Method { get; } = method;

    /// <summary>The sites it takes and what sits at them, in the order they were placed.</summary>
    internal IReadOnlyList<(Site Site, Adapter Adapter)> Placed => placed;

    /// <summary>The sites alone.</summary>
    internal IReadOnlyList<Site> Sites => [.. placed.Select(pair => pair.Site)];

    /// <summary>What it trains where it placed no adapter.</summary>
    internal List<(Site Site, TrainedWeights Trained)> Elsewhere { get; } = [];

    /// <summary>Frozen tensors that its layers share; null before they are built.</summary>
    internal IReadOnlyList<SharedTensor>? Shared { get; set; }

    /// <summary>Entries of its adapter_config.json last read that nobody knows.</summary>
    internal IReadOnlyDictionary<string, JsonNode> ForeignEntries { get; set; } = new Dictionary<string, JsonNode>();

    internal void Add(Site site, Adapter adapter) => placed.Add((site, adapter));

    /// <summary>What its file holds, by the names there, in the order of placing; <paramref name="whole"/> are modules trained whole that are saved with it.</summary>
    internal IReadOnlyList<FileTensor> FileTensors(IEnumerable<TrainableTensor> whole) =>
    [
        .. from tensor in placed.SelectMany(pair => pair.Adapter.FileTensors).Concat(Elsewhere.SelectMany(pair => pair.Trained.FileTensors)).Concat(whole.Select(tensor => FileTensor.Of(tensor)))
           select tensor with { Name = Method.FilePrefix + tensor.Name },
        .. from pair in placed
           where pair.Adapter is not TrainedWeights && SavedBeside.Any(name => pair.Site.Module.EndsWith($".{name}", StringComparison.Ordinal) || pair.Site.Module == name)
           from own in pair.Site.Parts
           where own.Part == "weight"
           select new FileTensor($"{Method.FilePrefix}{pair.Site.Module}.base_layer.weight", [.. own.Weight.Shape], () => own.Weight.Frozen, _ => { }) { IsCopy = true },
        .. from tensor in Shared ?? []
           where tensor.InFile
           select new FileTensor(tensor.Name, tensor.Value.shape, () => tensor.Value, numbers => tensor.Value.copy_(numbers)),
    ];
}
