using System.Security.Cryptography;
using System.Text;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>Which adapters sit where on a backbone, and the modules trained whole beside them.</summary>
public sealed class AdapterPlacement(Backbone backbone, int seed)
{
    private readonly List<(Projection Site, AdapterLayer Layer)> placed = [];
    private readonly List<Projection> whole = [];
    private readonly List<TrainableTensor> tensors = [];

    /// <summary>The backbone.</summary>
    public Backbone Backbone { get; } = backbone;

    /// <summary>What adapter_config.json calls the base model: a folder or a model id. The folder it was loaded from unless given.</summary>
    public string BaseModel { get; init; } = Path.GetDirectoryName(backbone.Config.Path)!;

    /// <summary>The method placed; null while nothing is.</summary>
    public AdapterMethod? Method { get; private set; }

    /// <summary>The adapted sites and their layers, in the order they were placed.</summary>
    public IReadOnlyList<(Projection Site, AdapterLayer Layer)> Placed => placed;

    /// <summary>The adapted sites alone.</summary>
    internal IReadOnlyList<Projection> AdaptedSites => [.. placed.Select(pair => pair.Site)];

    /// <summary>The modules trained whole (<c>modules_to_save</c>).</summary>
    public IReadOnlyList<Projection> Whole => whole;

    /// <summary>All trainable tensors, in parameter order.</summary>
    public IReadOnlyList<TrainableTensor> Tensors => tensors;

    /// <summary>Puts backbone and adapters into training or evaluation: dropout acts or not.</summary>
    public bool Training
    {
        set
        {
            Backbone.Training = value;
            foreach ((_, AdapterLayer layer) in placed)
                layer.Training = value;
        }
    }

    /// <summary>Places an adapter at the module path (transformers 5 spelling). Its initial numbers depend on seed and path alone.</summary>
    public TLayer Place<TLayer>(AdapterMethod<TLayer> method, string module)
        where TLayer : AdapterLayer
    {
        Projection site = Vacant(module);
        using Generator random = new(SeedOf(module), CPU);
        TLayer layer = method.Place(site, random);
        (Method, site.Adapter) = (method, layer);
        placed.Add((site, layer));
        tensors.AddRange(layer.Tensors);
        return layer;
    }

    /// <summary>Trains the module's own weight and bias, from the checkpoint's numbers.</summary>
    public void TrainWhole(string module)
    {
        Projection site = Vacant(module);
        foreach ((Weight? weight, string part) in ((Weight?, string)[])[(site.Weight, "weight"), (site.Bias, "bias")])
        {
            if (weight is null)
                continue;
            TrainableTensor trainable = new($"{site.Module}.{part}", site.Role, TrainableKind.SavedModule, weight.Frozen.to_type(ScalarType.Float32, copy: true));
            weight.Trainable = trainable;
            tensors.Add(trainable);
        }
        whole.Add(site);
    }

    /// <summary>Trains what the method trains at a module that carries no adapter.</summary>
    public void TrainElsewhere(AdapterMethod method, string module) => tensors.AddRange(method.Elsewhere(Vacant(module)));

    /// <summary>Lays all trainable tensors out in one arena on the backbone's device. Throws FPO4014 where a head that the checkpoint lacks would stay random.</summary>
    public Arena BuildArena()
    {
        string[] random = [.. Backbone.Weights.Untrained.Except(whole).Select(head => head.Module)];
        return random.Length == 0
            ? new Arena(tensors, Backbone.Device)
            : throw new RecipeException("FPO4014", $"the checkpoint beside {Backbone.Config.Path} has no {string.Join(" and no ", random)}, so that the backbone starts with random numbers there; "
                + $"train {(random.Length == 1 ? "it" : "them")} whole (ModulesToSave), or load a checkpoint that was trained for this task");
    }

    /// <summary>Writes the adapters in peft's layout.</summary>
    public void Save(string folder) => PeftFolder.Save(this, folder);

    /// <summary>Reads adapters of the same method and placement from peft's layout.</summary>
    public void Load(string folder) => PeftFolder.Load(this, folder);

    /// <summary>Writes a checkpoint in Hugging Face layout with the adapters merged; the placement itself is unchanged.</summary>
    public void MergeInto(string folder) => MergedCheckpoint.Write(this, folder);

    private Projection Vacant(string module)
    {
        Projection site = Backbone.Projection(module);
        return site.Adapter is null && !whole.Contains(site)
            ? site
            : throw new RecipeException("FPO1011", $"{module} already carries an adapter or is trained whole; a module takes one of them");
    }

    private ulong SeedOf(string module) =>
        BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}/{module}")))) >> 1;
}
