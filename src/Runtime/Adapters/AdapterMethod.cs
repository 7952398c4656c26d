using System.Text.Json.Nodes;
using FlatPO.Recipes.Backbones;
using TorchSharp;

namespace FlatPO.Recipes.Adapters;

/// <summary>
/// An adapter method as peft's files know it. At which sites it can sit, it says by the interfaces it implements: <see cref="ILinearMethod{TAdapter}"/>,
/// <see cref="IEmbeddingMethod{TAdapter}"/>, <see cref="INormMethod{TAdapter}"/>, <see cref="IInputMethod{TAdapter}"/>.
/// </summary>
public abstract class AdapterMethod
{
    /// <summary><c>peft_type</c> of adapter_config.json.</summary>
    public abstract string PeftType { get; }

    /// <summary>Whether peft's configuration of the method knows <c>layers_to_transform</c>; where it does not, a range of layers is written as full module paths.</summary>
    public virtual bool SelectsLayers => true;

    /// <summary>Whether its adapter_config.json says by <c>target_modules</c> where it sits; where it does not, it sits beside what enters the layers.</summary>
    public virtual bool NamesTargets => true;

    /// <summary>What stands in front of the names in its file.</summary>
    public virtual string FilePrefix => "base_model.model.";

    /// <summary>Writes the method's own entries of adapter_config.json; <c>target_modules</c>, which names <paramref name="sites"/>, is there already. A method without settings has none.</summary>
    public virtual void WriteConfig(JsonObject config, IReadOnlyList<Site> sites)
    {
    }

    /// <summary>Throws FPO4011 where adapter_config.json says something that changes the result at <paramref name="sites"/> and that this method's settings do not say.</summary>
    public virtual void CheckConfig(AdapterConfig config, IReadOnlyList<Site> sites)
    {
    }

    /// <summary>
    /// Entries the method knows beside those it writes: <see cref="CheckConfig"/> judges them, or they change nothing once an adapter is trained. Any other that says
    /// something is kept and warned about (<see cref="AdapterPlacement.ForeignEntries"/>).
    /// </summary>
    public virtual IReadOnlyCollection<string> KnownEntries => [];

    /// <summary>By how much the learning rate is larger of one-dimensional tensors of modules that are trained whole beside it.</summary>
    public virtual double RateOfVectors => 1;

    /// <summary>Whether it can sit at a site.</summary>
    internal bool Takes(Site site) => Trains(site) && site switch
    {
        Projection => this is ILinearMethod<Adapter>,
        EmbeddingSite => this is IEmbeddingMethod<Adapter>,
        NormSite => this is INormMethod<Adapter>,
        InputSite => this is IInputMethod<Adapter>,
        _ => false,
    };

    /// <summary>Whether it has something to train at a site of a kind that it takes; a method for a part that not all sites have says where it is not.</summary>
    internal virtual bool Trains(Site site) => true;

    /// <summary>FPO1051: what the method trains is not there.</summary>
    internal static RecipeException Nothing(AdapterMethod method, Site site) => new("FPO1051", $"{method.PeftType} cannot sit at {site.Module}: it would train nothing there");

    /// <summary>Builds the method's adapter where its type does not matter.</summary>
    internal Adapter Build(Site site, torch.Generator random) => (site, this) switch
    {
        (Projection linear, ILinearMethod<Adapter> method) => method.Place(linear, random),
        (EmbeddingSite table, IEmbeddingMethod<Adapter> method) => method.Place(table, random),
        (NormSite norm, INormMethod<Adapter> method) => method.Place(norm, random),
        (InputSite inputs, IInputMethod<Adapter> method) => method.Place(inputs, random),
        _ => throw new RecipeException("FPO1050", $"{PeftType} cannot sit at {site.Module}, which is {Article(site)}"),
    };

    /// <summary>Builds what those that it placed share; nothing unless the method says otherwise.</summary>
    internal virtual IReadOnlyList<SharedTensor> Share(IReadOnlyList<(Site Site, Adapter Adapter)> placed, torch.Device device) => [];

    /// <summary>What the method trains at a site that carries no adapter and is not trained whole; nothing unless it says otherwise.</summary>
    public virtual TrainedWeights? Elsewhere(Site site) => null;

    private static string Article(Site site) => site switch
    {
        EmbeddingSite => "an embedding",
        NormSite => "a norm",
        InputSite => "where vectors enter the layers",
        _ => "a linear layer",
    };
}

/// <summary>
/// How an adapter method of linear layers builds its layer at one. Its properties carry the names of its attribute's; <typeparamref name="TLayer"/> is what
/// a recipe's typed accessors return.
/// </summary>
public abstract class AdapterMethod<TLayer> : AdapterMethod, ILinearMethod<TLayer>
    where TLayer : AdapterLayer
{
    /// <inheritdoc/>
    public abstract TLayer Place(Projection site, torch.Generator random);

    /// <summary>
    /// Builds the frozen tensors that all layers compute with, float32 on <paramref name="device"/>, and hands them to the layers; called once, when every site is taken.
    /// None unless a method overrides it.
    /// </summary>
    protected virtual IReadOnlyList<SharedTensor> Share(IReadOnlyList<(Projection Site, TLayer Layer)> placed, torch.Device device) => [];

    internal sealed override IReadOnlyList<SharedTensor> Share(IReadOnlyList<(Site Site, Adapter Adapter)> placed, torch.Device device) =>
        Share([.. placed.Where(pair => pair.Adapter is TLayer).Select(pair => ((Projection)pair.Site, (TLayer)pair.Adapter))], device);
}

/// <summary>A method that can sit at linear layers.</summary>
public interface ILinearMethod<out TAdapter>
    where TAdapter : Adapter
{
    /// <summary>Builds the adapter for <paramref name="site"/>; random initial numbers come from <paramref name="random"/>, on the CPU.</summary>
    TAdapter Place(Projection site, torch.Generator random);
}

/// <summary>A method that can sit at tables of vectors.</summary>
public interface IEmbeddingMethod<out TAdapter>
    where TAdapter : Adapter
{
    /// <inheritdoc cref="ILinearMethod{TAdapter}.Place"/>
    TAdapter Place(EmbeddingSite site, torch.Generator random);
}

/// <summary>A method that can sit at norms.</summary>
public interface INormMethod<out TAdapter>
    where TAdapter : Adapter
{
    /// <inheritdoc cref="ILinearMethod{TAdapter}.Place"/>
    TAdapter Place(NormSite site, torch.Generator random);
}

/// <summary>A method that puts something beside what enters the layers.</summary>
public interface IInputMethod<out TAdapter>
    where TAdapter : Adapter
{
    /// <inheritdoc cref="ILinearMethod{TAdapter}.Place"/>
    TAdapter Place(InputSite site, torch.Generator random);
}
