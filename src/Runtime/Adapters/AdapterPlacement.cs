using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using FlatPO.Recipes.Trainables;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Adapters;

/// <summary>Which adapters sit where on a backbone, and the modules trained whole beside them.</summary>
public sealed class AdapterPlacement(Backbone backbone, int seed)
{
    private readonly List<(Site Site, Adapter Adapter)> placed = [];
    private readonly List<AdapterPart> parts = [];
    private readonly List<(Site Site, TrainedWeights Trained)> whole = [];
    private readonly List<TrainableTensor> tensors = [];

    /// <summary>The backbone.</summary>
    public Backbone Backbone { get; } = backbone;

    /// <summary>What adapter_config.json calls the base model: a folder or a model id. The folder it was loaded from unless given.</summary>
    public string BaseModel { get; init; } = Path.GetDirectoryName(backbone.Config.Path)!;

    /// <summary>The method placed, of several the one whose folder holds the others'; null while nothing is.</summary>
    public AdapterMethod? Method => Main?.Method;

    /// <summary>The part that is saved in the adapter folder itself, modules trained whole with it: the first that peft would inject into modules.</summary>
    internal AdapterPart? Main => parts.Find(part => part.Method.NamesTargets) ?? parts.FirstOrDefault();

    /// <summary>What each method placed, in the order of their first sites.</summary>
    internal IReadOnlyList<AdapterPart> Parts => parts;

    /// <summary>The adapted sites and what sits at them, in the order they were placed.</summary>
    public IReadOnlyList<(Site Site, Adapter Adapter)> Placed => placed;

    /// <summary>Those at linear layers.</summary>
    internal IReadOnlyList<(Projection Site, AdapterLayer Layer)> AtLinearLayers => [.. from pair in placed
                                                                                       where pair.Adapter is AdapterLayer
                                                                                       select ((Projection)pair.Site, (AdapterLayer)pair.Adapter)];

    /// <summary>The adapted sites alone.</summary>
    internal IReadOnlyList<Site> AdaptedSites => [.. placed.Select(pair => pair.Site)];

    /// <summary>The modules trained whole (<c>modules_to_save</c>).</summary>
    public IReadOnlyList<Site> Whole => [.. whole.Select(pair => pair.Site)];

    /// <summary>All trainable tensors, in parameter order.</summary>
    public IReadOnlyList<TrainableTensor> Tensors => tensors;

    /// <summary>
    /// Entries of the adapter_config.json last read (with several methods, of each) that neither its method nor this library knows: a newer peft's, say. They change
    /// nothing here, and <see cref="PeftFolder.Save"/> writes them back as they were.
    /// </summary>
    public IReadOnlyDictionary<string, JsonNode> ForeignEntries =>
        parts.SelectMany(part => part.ForeignEntries).GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.First().Value);

    /// <summary>What a part's file holds. Modules trained whole are saved with the main part.</summary>
    internal IReadOnlyList<FileTensor> FileTensors(AdapterPart part)
    {
        _ = Shared;
        return part.FileTensors(part == Main ? whole.SelectMany(pair => pair.Trained.Tensors) : []);
    }

    /// <summary>Frozen tensors that belong to the adapter and that its layers share; they are built at the first use, for the sites taken by then, and live as long as the backbone.</summary>
    public IReadOnlyList<SharedTensor> Shared => [.. parts.SelectMany(part => part.Shared ??= Share(part))];

    /// <summary>Puts backbone and adapters into training or evaluation: dropout acts or not.</summary>
    public bool Training
    {
        set
        {
            if (value)
                RequireUnmerged();
            Backbone.Training = value;
            foreach ((_, Adapter adapter) in placed)
                adapter.Training = value;
        }
    }

    /// <summary>Places an adapter at the linear layer with this module path (transformers 5 spelling). Its initial numbers depend on seed and path alone.</summary>
    public TAdapter Place<TAdapter>(ILinearMethod<TAdapter> method, string module)
        where TAdapter : Adapter => (TAdapter)Place((AdapterMethod)method, Backbone.Weights.Site<Projection>(module, "linear layer"));

    /// <summary>Places an adapter at the table of vectors with this module path.</summary>
    public TAdapter PlaceAtEmbedding<TAdapter>(IEmbeddingMethod<TAdapter> method, string module)
        where TAdapter : Adapter => (TAdapter)Place((AdapterMethod)method, Backbone.Weights.Site<EmbeddingSite>(module, "embedding"));

    /// <summary>Places an adapter at the norm with this module path.</summary>
    public TAdapter PlaceAtNorm<TAdapter>(INormMethod<TAdapter> method, string module)
        where TAdapter : Adapter => (TAdapter)Place((AdapterMethod)method, Backbone.Weights.Site<NormSite>(module, "norm"));

    /// <summary>Places an adapter where vectors enter the layers; <paramref name="module"/> names the tower's inputs.</summary>
    public TAdapter PlaceAtInputs<TAdapter>(IInputMethod<TAdapter> method, string module)
        where TAdapter : Adapter => (TAdapter)Place((AdapterMethod)method, Backbone.Weights.Site<InputSite>(module, "inputs"));

    /// <summary>Trains the module's own weight and bias, from the checkpoint's numbers.</summary>
    public void TrainWhole(string module)
    {
        Site site = Vacant(Backbone.Weights.Site<Site>(module, "module"));
        TrainedWeights trained = TrainedParts.All(site, TrainableKind.SavedModule);
        site.Take(trained);
        tensors.AddRange(trained.Tensors);
        whole.Add((site, trained));
    }

    /// <summary>Places an adapter where its type does not matter.</summary>
    internal Adapter Place(AdapterMethod method, Site site)
    {
        if (parts.Exists(part => part.Shared is { Count: > 0 }))
            throw new InvalidOperationException($"{site.Module} is placed too late: what the layers share was built for the sites before it");
        MethodTasks.Check(method, Backbone);
        using Generator random = new(SeedOf(Vacant(site).Module), CPU);
        Adapter adapter = method.Build(site, random);
        site.Take(adapter);
        placed.Add((site, adapter));
        PartOf(method).Add(site, adapter);
        tensors.AddRange(adapter.Tensors);
        return adapter;
    }

    /// <summary>Trains what the method trains at a module that carries no adapter.</summary>
    public void TrainElsewhere(AdapterMethod method, string module)
    {
        Site site = Vacant(Backbone.Weights.Site<Site>(module, "module"));
        if (method.Elsewhere(site) is not { } trained)
            return;
        site.Take(trained);
        PartOf(method).Elsewhere.Add((site, trained));
        tensors.AddRange(trained.Tensors);
    }

    /// <summary>Lays all trainable tensors out in one arena on the backbone's device. Throws FPO4014 where a head that the checkpoint lacks would stay random.</summary>
    public Arena BuildArena()
    {
        _ = Shared;
        foreach (TrainableTensor vector in whole.SelectMany(pair => pair.Trained.Tensors).Where(tensor => tensor.Shape.Count == 1))
            vector.LearningRateFactor = parts.Select(part => part.Method.RateOfVectors).DefaultIfEmpty(1).Max();
        string[] random = [.. Backbone.Weights.Untrained.Where(head => head.Weight.Trainable is null).Select(head => head.Module)];
        return random.Length == 0
            ? new Arena(tensors, Backbone.Device)
            : throw new RecipeException("FPO4014", $"the checkpoint beside {Backbone.Config.Path} has no {string.Join(" and no ", random)}, so that the backbone starts with random numbers there; "
                + $"train {(random.Length == 1 ? "it" : "them")} whole (ModulesToSave), or load a checkpoint that was trained for this task");
    }

    /// <summary>Whether the backbone computes with what is placed: unless an <see cref="AdapterCollection"/> put it aside.</summary>
    internal bool Attached { get; private set; } = true;

    /// <summary>What holds the frozen numbers while the adapters are merged in memory.</summary>
    internal IDisposable? Merged { get; set; }

    /// <summary>Throws FPO4022 while the adapters are merged in memory.</summary>
    internal void RequireUnmerged()
    {
        if (Merged is not null)
            throw new RecipeException("FPO4022", $"the adapters are merged into the weights of {Backbone.Config.Path}; leave the scope that Merge returned before they are trained, loaded, merged or switched");
    }

    /// <summary>Puts the adapters, and the modules trained whole, where they were placed.</summary>
    internal void Attach() => Switch(on: true);

    /// <summary>Takes them off again: the backbone computes with its own weights.</summary>
    internal void Detach() => Switch(on: false);

    /// <summary>What <paramref name="place"/> places on the backbone; nothing of it stays where it throws.</summary>
    internal static AdapterPlacement Built(Backbone backbone, Action<AdapterPlacement> place)
    {
        AdapterPlacement placement = new(backbone, seed: 0);
        try
        {
            place(placement);
            return placement;
        }
        catch
        {
            placement.Discard();
            throw;
        }
    }

    /// <summary>Takes the adapters off and frees their numbers, where no arena took them over: the backbone is as if nothing had been placed.</summary>
    internal void Discard()
    {
        Detach();
        foreach (TrainableTensor tensor in tensors)
            tensor.Release();
        ReleaseConstants();
    }

    /// <summary>Frees what the adapters hold beside their trained numbers; they cannot be used any more.</summary>
    internal void ReleaseConstants()
    {
        foreach ((_, Adapter adapter) in placed)
            adapter.Dispose();
        foreach (SharedTensor tensor in parts.SelectMany(part => part.Shared ?? []))
            tensor.Value.Dispose();
    }

    private void Switch(bool on)
    {
        RequireUnmerged();
        Attached = on;
        foreach ((Site site, Adapter adapter) in placed.Concat(whole.Concat(parts.SelectMany(part => part.Elsewhere)).Select(pair => (pair.Site, (Adapter)pair.Trained))))
            site.Take(on ? adapter : null);
    }

    private AdapterPart PartOf(AdapterMethod method)
    {
        if (parts.Find(part => part.Method.PeftType == method.PeftType) is { } known)
            return known;
        AdapterPart part = new(method);
        parts.Add(part);
        return part;
    }

    private IReadOnlyList<SharedTensor> Share(AdapterPart part)
    {
        using var scope = NewDisposeScope();
        IReadOnlyList<SharedTensor> built = part.Method.Share(part.Placed, Backbone.Device);
        foreach (SharedTensor tensor in built)
            Backbone.Weights.Keep(tensor.Value);
        return built;
    }

    private static Site Vacant(Site site) =>
        site.IsTaken ? throw new RecipeException("FPO1011", $"{site.Module} already carries an adapter or is trained whole; a module takes one of them") : site;

    private ulong SeedOf(string module) =>
        BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}/{module}")))) >> 1;
}
