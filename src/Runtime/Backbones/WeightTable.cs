using FlatPO.Recipes.Checkpoints;
using FlatPO.Recipes.Native;
using static TorchSharp.torch;

namespace FlatPO.Recipes.Backbones;

/// <summary>The weights and projections a backbone declares, in module order, and the device and number format they are loaded in.</summary>
public sealed class WeightTable(ModelConfig config, Device device, ScalarType dtype) : IDisposable
{
    private const ulong InitialSeed = 0;
    private const double DefaultInitializerRange = 0.02;

    private readonly List<Weight> weights = [];
    private readonly List<Site> sites = [];
    private readonly List<string> ignored = [];
    private readonly List<Tensor> constants = [];
    private readonly List<Projection> heads = [];
    private readonly List<ProjectionGroup> groups = [];
    private readonly List<(string Path, string Published)> publications = [];
    private Projection[] untrained = [];

    /// <summary>config.json.</summary>
    public ModelConfig Config { get; } = config;

    /// <summary>Where the weights go.</summary>
    public Device Device { get; } = device;

    /// <summary>The number format they are held in.</summary>
    public ScalarType Dtype { get; } = dtype;

    /// <summary>
    /// Whether linear layers are held in 4 bits (<see cref="Precision.NF4"/>): all but the head, which transformers leaves out too (<c>llm_int8_skip_modules</c>).
    /// </summary>
    public bool Quantizes { get; init; }

    /// <summary>
    /// transformers' <c>base_model_prefix</c> with its dot (<c>model.</c>): a checkpoint saved from the base model alone lacks it, and loads all the same.
    /// </summary>
    public string? BasePrefix { get; set; }

    /// <summary>All declared weights.</summary>
    public IReadOnlyList<Weight> All => weights;

    /// <summary>All places an adapter may sit, in module order.</summary>
    public IReadOnlyList<Site> AllSites => sites;

    /// <summary>The linear layers among them.</summary>
    public IReadOnlyList<Projection> Projections => [.. sites.OfType<Projection>()];

    /// <summary>
    /// The layers of the head that the checkpoint did not hold: their numbers are random, so that they must be trained whole before they mean anything.
    /// </summary>
    public IReadOnlyList<Projection> Untrained => untrained;

    /// <summary>Names a checkpoint may hold that the backbone has no use for.</summary>
    internal IReadOnlyList<string> IgnoredNames => ignored;

    /// <summary>
    /// Says that published checkpoints keep what transformers 5 has under one path (<c>model.visual</c>) under another (<c>visual</c>): what is declared from
    /// now on is looked for there.
    /// </summary>
    public void Publish(string path, string published) => publications.Add(($"{path}.", $"{published}."));

    /// <summary>Declares one tensor of the checkpoint.</summary>
    public Weight Declare(string name, params long[] shape)
    {
        Weight weight = new(Published(name), shape);
        weights.Add(weight);
        return weight;
    }

    /// <summary>Declares a linear layer; <paramref name="published"/> is its path in the checkpoint where that differs from <paramref name="module"/>.</summary>
    public Projection Linear(string module, Sites role, long @in, long @out, bool bias, string? published = null)
    {
        string path = published ?? module;
        Projection projection = new(module, role, Declare($"{path}.weight", @out, @in), bias ? Declare($"{path}.bias", @out) : null);
        sites.Add(projection);
        return projection;
    }

    /// <summary>Declares a table of <paramref name="count"/> token vectors.</summary>
    public EmbeddingSite Embedding(string module, long count, long width)
    {
        EmbeddingSite table = new(module, Declare($"{module}.weight", count, width), Dtype);
        sites.Add(table);
        return table;
    }

    /// <summary>Declares a norm's weight and bias; <paramref name="published"/> is its path in the checkpoint where that differs from <paramref name="module"/>.</summary>
    public NormSite Norm(string module, long width, NormParts parts = NormParts.WeightAndBias, string? published = null)
    {
        string path = published ?? module;
        Weight? weight = parts == NormParts.None ? null : Declare($"{path}.weight", width);
        NormSite norm = new(module, Published(path), weight, parts == NormParts.WeightAndBias ? Declare($"{path}.bias", width) : null);
        if (weight is not null)
            sites.Add(norm);
        return norm;
    }

    /// <summary>Declares where vectors enter the layers of a tower.</summary>
    public InputSite Inputs(string module, InputShape shape)
    {
        InputSite inputs = new(module, shape);
        sites.Add(inputs);
        return inputs;
    }

    /// <summary>
    /// Declares a layer of the task's head, with a bias. A checkpoint of the pretrained model has none: the layer then starts as transformers starts it, its weight from
    /// N(0, initializer_range²) and its bias from 0, with the same numbers at every load, and is listed in <see cref="Untrained"/>.
    /// </summary>
    public Projection Head(string module, long @in, long @out)
    {
        Projection head = Linear(module, Sites.Head, @in, @out, bias: true);
        heads.Add(head);
        return head;
    }

    /// <summary>
    /// Declares a linear layer that computes with the frozen numbers of another layer's weight: a head tied to the embedding. A copy of them in the
    /// checkpoint is ignored.
    /// </summary>
    public Projection Tied(string module, Sites role, Weight weight)
    {
        Ignore($"{module}.weight");
        Projection projection = new(module, role, weight.SharedAs($"{module}.weight"), null);
        sites.Add(projection);
        return projection;
    }

    /// <summary>Says that layers read the same input, so that one product serves all.</summary>
    internal ProjectionGroup Group(params Projection[] members)
    {
        ProjectionGroup group = new(members);
        groups.Add(group);
        return group;
    }

    /// <summary>Names tensors a checkpoint may hold without being refused; <c>*</c> stands for any text.</summary>
    public void Ignore(params ReadOnlySpan<string> names) => ignored.AddRange(names);

    /// <summary>Takes over a tensor that is computed and not loaded (rotary frequencies) and keeps it as long as the weights.</summary>
    public Tensor Keep(Tensor constant)
    {
        constants.Add(constant.DetachFromDisposeScope());
        return constant;
    }

    /// <summary>The projection at a module path; throws FPO1001 with the nearest ones if there is none.</summary>
    public Projection Projection(string module) => Site<Projection>(module, "linear layer");

    /// <summary>The site of a kind at a module path; throws FPO1001, with <paramref name="kind"/> in words and the nearest one, if there is none.</summary>
    internal T Site<T>(string module, string kind)
        where T : Site
    {
        T[] known = [.. sites.OfType<T>()];
        return Array.Find(known, site => site.Module == module)
            ?? throw new RecipeException("FPO1001", $"the {Config.ModelType} backbone has no {kind} '{module}'; nearest is '{known.MinBy(site => Nearness.Distance(module, site.Module))?.Module ?? "none"}'");
    }

    /// <summary>
    /// Gives every declared weight its numbers. Throws FPO4004 with all that does not fit, before the first tensor is read: there is no partial load.
    /// </summary>
    public void Fill(Checkpoint checkpoint)
    {
        CheckpointMatch match = new(this, checkpoint);
        untrained = [.. heads.Where(match.Lacks)];
        match.Require();
        using var scope = NewDisposeScope();
        IReadOnlyList<Weight> stored = new QuantizedLoading(this, checkpoint, match).Fill([.. weights.Except(untrained.SelectMany(head => head.Weights))]);
        Tensor[] numbers = checkpoint.Read([.. stored.Select(match.NameOf)], Device, Dtype);
        for (int i = 0; i < stored.Count; i++)
            stored[i].Fill(numbers[i]);
        foreach (ProjectionGroup group in groups)
            group.Join();
        using Generator random = new(InitialSeed, CPU);
        foreach (Projection head in untrained)
        {
            head.Weight.Fill(Placed(randn([head.Out, head.In], float32, generator: random).mul(Scalars.Of(Config.Number("initializer_range", DefaultInitializerRange)))));
            head.Bias!.Fill(Placed(zeros(head.Out)));
        }

        Tensor Placed(Tensor numbers) => numbers.to(Dtype, Device);
    }

    private string Published(string name) =>
        publications.Find(publication => name.StartsWith(publication.Path, StringComparison.Ordinal)) is ({ } path, { } published) ? published + name[path.Length..] : name;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Site site in sites)
            site.Occupant?.Dispose();
        foreach (Weight weight in weights)
            weight.Release();
        foreach (ProjectionGroup group in groups)
            group.Dispose();
        foreach (Tensor constant in constants)
            constant.Dispose();
    }
}

/// <summary>What a norm has to be trained.</summary>
public enum NormParts
{
    /// <summary>A weight and a bias.</summary>
    WeightAndBias,

    /// <summary>A weight alone.</summary>
    Weight,

    /// <summary>Neither.</summary>
    None,
}
